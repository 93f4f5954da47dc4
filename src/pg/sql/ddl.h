// What the functions that create, alter and drop layouts and generators share.
#pragma once

#include "pg.h"

#include "catalog.h"

namespace idgen::pg {

// Reports an error if an argument of a DDL function is NULL.
void CheckNotNull(FunctionCallInfo fcinfo, int argument, const char* name);

// Returns an argument as a C string. Errors: it is NULL, or much longer than makes sense; such a
// text is not expanded.
char* RequiredText(FunctionCallInfo fcinfo, int argument, const char* name);

// Creates a layout or generator with the user's rights (CREATE SERVER). Errors: the name is not
// valid, or is taken.
void CreateNamed(NameKind kind, const char* name, const GeneratorDefinition& definition);

// Returns a user's layout or generator, even one with a flaw. Errors: it does not exist, or it is
// something else.
const Named& UsersNamedBy(const char* name, NameKind kind);

// Drops it, with the user's rights.
void DropNamed(const char* name, NameKind kind);

// Runs one utility command, with the user's rights.
void RunCommand(const char* command);

}  // namespace idgen::pg
