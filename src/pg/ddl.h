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

// Lets one session at a time create or drop layouts and generators in this database, until
// its transaction ends; readers do not wait. What others committed is visible afterwards.
void LockCatalog();

// Refuses a name that a layout or a generator has already; with the catalog locked. The hook
// does so for every CREATE SERVER. The functions that create do it before, because one whose
// server is there already would fail before the hook, with a message about the server.
void CheckNameIsFree(const char* name);

// Refuses to go on for somebody who does not own the layout or generator, if there is one.
// Before LockCatalog(), so that he does not keep others out.
void CheckOwner(const ServerKind& kind, const char* name);

// Runs one utility command, as the user would.
void RunCommand(const char* command);

// Refuses to drop a layout or generator whose name stands in an expression that the database
// keeps: an index, a column default, a view, ...
void CheckNotUsed(const ServerKind& kind, const char* name);

// Drops it, as the user would.
void DropServer(const ServerKind& kind, const char* name);

// Registers the hook that keeps layouts unaltered and generators tied to their layouts, also
// where somebody writes ALTER SERVER; once, from _PG_init.
void GuardServers();

}  // namespace idgen::pg
