#include "complaint.h"

namespace idgen::pg {

namespace {

int Fill(const Complaint& complaint) {
  errcode(complaint.code);
  errmsg_internal("%s", complaint.message);
  if (complaint.detail != nullptr) errdetail_internal("%s", complaint.detail);
  if (complaint.hint != nullptr) errhint("%s", complaint.hint);
  if (complaint.text != nullptr) {
    internalerrquery(complaint.text);
    internalerrposition(complaint.position);
  }
  return 0;
}

}  // namespace

void Report(const Complaint& complaint) {
  ereport(ERROR, Fill(complaint));
  pg_unreachable();
}

void ReportSoftly([[maybe_unused]] Node* context, const Complaint& complaint) {
  IDGEN_ERRSAVE(context, Fill(complaint));
}

}  // namespace idgen::pg
