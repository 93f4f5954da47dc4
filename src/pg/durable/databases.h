// Reads and raises the marks in the files of all databases. A backend cannot query another
// database, but it can read its files through the buffers, as CREATE DATABASE reads its template:
// first the pages of pg_class, to find the mark's sequence, then the sequence's page.
//
// Three locks keep the files in place meanwhile: one on the database (against DROP DATABASE), one
// on its pg_class (against VACUUM FULL), one on the sequence. They are tried and never waited for,
// since an ordinary role can hold them as long as it likes (with a prepared transaction that has
// renamed its database). If one is not available, another way needs no lock: after a checkpoint the
// files contain all that this run of the server did not write itself. They are then read without
// the buffers.
#pragma once

#include "pg.h"

#include "sequence.h"

namespace idgen::pg {

struct DatabaseFiles {
  Oid database;
  Oid tablespace;
  NameData name;
};

// A sequence with the name of the mark's sequence. Every version of its row in pg_class counts,
// since its page tells whether it holds a mark.
struct FoundSequence {
  Oid relation;
  Oid owner;
  FileLocator file;
};

enum class Access {
  kBuffers,  // with locks
  kFiles,    // without locks, after FlushAllFiles()
};

// Returns all databases as a list of DatabaseFiles, in the current memory context.
List* AllDatabases();

// What the caller does with each sequence found, under its lock.
struct MarkVisitor {
  void (*visit)(void* context, const DatabaseFiles& files, const FoundSequence& sequence,
                Access access);
  void* context;
};

// Visits all marks of a database, taking `lock` on each sequence. Returns false if some were left
// out because another session has a lock that was needed. Reads catalogs.
bool VisitMarks(DatabaseFiles& files, Access access, LOCKMODE lock, const MarkVisitor& visitor);

// Reads the page of a mark. Returns false if there is none or it is damaged; damage is reported.
bool ReadMark(const DatabaseFiles& files, const FoundSequence& sequence, Access access,
              MarkPage& found);

// Raises a recorded mark to `mark_ms`, through the buffers. Returns the position up to which the
// log must be flushed; InvalidXLogRecPtr if there is no mark.
XLogRecPtr RaiseMark(const DatabaseFiles& files, const FoundSequence& sequence,
                     std::int64_t mark_ms);

// Requests a checkpoint, so that kFiles sees what is in the buffers now.
void FlushAllFiles();

}  // namespace idgen::pg
