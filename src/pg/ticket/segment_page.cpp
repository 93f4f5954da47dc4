#include "segment_page.h"

#include <sys/stat.h>
#include <unistd.h>

#include "ticket_page.h"

namespace idgen::pg {

// The control file is written in place all the time, and stays one file as long as the data
// directory is the same.
DatabaseCopy CopyOfThisDatabase() {
  DatabaseCopy copy;
  struct stat control;
  if (stat(XLOG_CONTROL_FILE, &control) != 0) {
    ereport(ERROR, (errcode_for_file_access(),
                    errmsg("could not stat file \"%s\": %m", XLOG_CONTROL_FILE)));
  }
  char host[256] = {};
  if (gethostname(host, sizeof(host) - 1) != 0) host[0] = '\0';
  copy.system = GetSystemIdentifier();
  copy.host = hash_bytes_extended(reinterpret_cast<const unsigned char*>(host),
                                  static_cast<int>(strlen(host)), 0);
  copy.device = control.st_dev;
  copy.file = control.st_ino;
  copy.timeline = GetWALInsertionTimeLine();
  copy.database = MyDatabaseId;
  return copy;
}

bool ReadSegmentPage(Buffer buffer, SegmentPage& found) {
  found = {};
  SequencePage page;
  if (!ReadSequencePage(BufferGetPage(buffer), page)) return false;
  (void)ReadRecord(page, kSegmentMagic, found.record);
  found.is_sealed = page.columns->log_cnt == kSeal;
  found.seal = &page.columns->log_cnt;
  return true;
}

// nextval() finds the sequence at its end.
XLogRecPtr WriteSegmentPage(Relation relation, Buffer buffer, const SegmentRecord& record,
                            bool is_sealed) {
  FormData_pg_sequence_data columns{};
  columns.last_value = kFedMost;
  columns.is_called = true;
  columns.log_cnt = is_sealed ? kSeal : 0;
  SegmentRecord written = record;
  written.magic = kSegmentMagic;
  return LogSequencePage(relation, buffer, columns, &written, sizeof(written));
}

}  // namespace idgen::pg
