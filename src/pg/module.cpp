// The module: what happens when PostgreSQL loads it, preloaded or on first use.
#include "pg.h"

#include "catalog.h"
#include "change_fence.h"
#include "config.h"
#include "floor.h"
#include "handle.h"
#include "last_value.h"
#include "mark.h"
#include "segment_worker.h"
#include "serial_plans.h"
#include "settings.h"
#include "shared.h"
#include "space_use.h"
#include "test_clock.h"
#include "ticket_handle.h"
#include "utility.h"
#include "version.h"
#include "worker.h"

extern "C" {

IDGEN_MODULE_MAGIC("idgen");

extern PGDLLEXPORT void _PG_init(void);

void _PG_init(void) {
  idgen::pg::DefineSettings();
  idgen::pg::WatchMark();
  idgen::pg::WatchChanges();
  idgen::pg::WatchDrops();
  idgen::pg::WatchCatalog();
  idgen::pg::WatchTickets();
  idgen::pg::WatchUses();
  idgen::pg::WatchUtility();
  idgen::pg::WatchPlanner();
  idgen::pg::WatchLastValues();
  idgen::pg::WatchTestClock(idgen::pg::ForgetLastIds);
  if (!process_shared_preload_libraries_in_progress) return;
  idgen::pg::RequestSharedMemory();
  idgen::pg::RegisterLeaseWorker();
  idgen::pg::RegisterTicketWorker();
  idgen::pg::LogFindings();
}

}  // extern "C"
