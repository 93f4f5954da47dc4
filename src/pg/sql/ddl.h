// What creating, altering and dropping layouts and generators share.
#pragma once

#include "pg.h"

#include "catalog.h"

namespace idgen::pg {

// Refuses NULL for an argument of a DDL function.
void CheckNotNull(FunctionCallInfo fcinfo, int argument, const char* name);

// An argument that must not be NULL, as C wants it. A text that is much longer than what makes
// sense is an error, and not looked at.
char* RequiredText(FunctionCallInfo fcinfo, int argument, const char* name);

// Creates a user's layout or generator, as the user would (CREATE SERVER). Errors: a name that is
// none, or that is taken.
void CreateNamed(NameKind kind, const char* name, const GeneratorDefinition& definition);

// A user's one of that kind, also one with a flaw; errors if there is none, or it is something
// else.
const Named& UsersNamedBy(const char* name, NameKind kind);

// Drops it, as the user would.
void DropNamed(const char* name, NameKind kind);

// Runs one utility command, as the user would.
void RunCommand(const char* command);

}  // namespace idgen::pg
