// The marks in the files of all databases. A backend cannot query another database, but it can
// read its files through the buffers, as CREATE DATABASE does with its template: pg_class by its
// pages, to find the mark's sequence, and then the sequence's page.
//
// Three locks keep the files in place meanwhile: one on the database (against DROP DATABASE), one
// on its pg_class (against VACUUM FULL), one on the sequence. They are tried and never waited for,
// since an ordinary role can hold them for as long as it likes (a transaction that has renamed
// its database, and was prepared). Where one is not to be had, there is another way that needs
// none: after a checkpoint the files have all that this run of the server did not write itself,
// and are read without the buffers.
#pragma once

#include "pg.h"

#include "sequence.h"

namespace idgen::pg {

struct DatabaseFiles {
  Oid database;
  Oid tablespace;
  NameData name;
};

// A sequence that has the name of the mark's. Every version of its row in pg_class counts, since
// its page tells whether a mark stands there.
struct FoundSequence {
  Oid relation;
  Oid owner;
  FileLocator file;
};

enum class Access {
  kBuffers,  // under locks
  kFiles,    // without, after FlushAllFiles()
};

// All databases, as a list of DatabaseFiles; in the current memory context.
List* AllDatabases();

// What the caller does with each sequence that is found, under its lock.
struct MarkVisitor {
  void (*visit)(void* context, const DatabaseFiles& files, const FoundSequence& sequence,
                Access access);
  void* context;
};

// Goes to all marks of a database; `lock` is taken on each sequence. False, and some were left
// out, when somebody else has a lock that was needed. Reads catalogs.
bool VisitMarks(DatabaseFiles& files, Access access, LOCKMODE lock, const MarkVisitor& visitor);

// Reads the page of a mark. False when there is none, or it is damaged; the latter is reported.
bool ReadMark(const DatabaseFiles& files, const FoundSequence& sequence, Access access,
              MarkPage& found);

// Raises a recorded mark to `mark_ms`, through the buffers. Returns where the log must be flushed
// to; InvalidXLogRecPtr when there is no mark.
XLogRecPtr RaiseMark(const DatabaseFiles& files, const FoundSequence& sequence,
                     std::int64_t mark_ms);

// A checkpoint, so that kFiles sees what is in the buffers now.
void FlushAllFiles();

}  // namespace idgen::pg
