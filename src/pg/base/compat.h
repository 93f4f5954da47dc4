// Hides the differences between PostgreSQL versions. Each difference has one inline function, with
// the newest version's meaning. Nothing else in src/pg has an #if on the version. Only pg.h
// includes this file, outside any linkage block.
#pragma once

#if PG_VERSION_NUM < 150000
#error "idgen needs PostgreSQL 15 or later"
#endif

extern "C" {
#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#include "storage/procnumber.h"
#endif
#if PG_VERSION_NUM >= 160000
#include "storage/relfilelocator.h"
#include "utils/wait_event.h"
#else
#include "storage/relfilenode.h"
#endif
}

// 18 lets a module say its name and its version (upstream 9324c8c5806).
#if PG_VERSION_NUM >= 180000
#define IDGEN_MODULE_MAGIC(module) PG_MODULE_MAGIC_EXT(.name = module, .version = IDGEN_VERSION)
#else
#define IDGEN_MODULE_MAGIC(module) PG_MODULE_MAGIC
#endif

// 16 introduced this name (upstream 6b7b39f5a7f).
#ifndef DSA_HANDLE_INVALID
#define DSA_HANDLE_INVALID ((dsa_handle)DSM_HANDLE_INVALID)
#endif

namespace idgen::pg {

// 16 renamed RelFileNode and its fields (upstream b0a55e43299).
#if PG_VERSION_NUM >= 160000
using FileLocator = RelFileLocator;
inline RelFileNumber MappedFileOf(char* database_path, Oid relation) {
  return RelationMapOidToFilenumberForDatabase(database_path, relation);
}
#else
using RelFileNumber = Oid;
using FileLocator = RelFileNode;
inline RelFileNumber MappedFileOf(char* database_path, Oid relation) {
  return RelationMapOidToFilenodeForDatabase(database_path, relation);
}
#endif
inline bool IsSameFile(const FileLocator& a, const FileLocator& b) {
#if PG_VERSION_NUM >= 160000
  return RelFileLocatorEquals(a, b);
#else
  return RelFileNodeEquals(a, b);
#endif
}
#ifndef InvalidRelFileNumber
#define InvalidRelFileNumber InvalidOid
#endif
inline RelFileNumber RelFileNumberOf(const FileLocator& file) {
#if PG_VERSION_NUM >= 160000
  return file.relNumber;
#else
  return file.relNode;
#endif
}
// Returns the first subtransaction of the current transaction that gave the relation a new file.
inline SubTransactionId FirstNewFileOf(Relation relation) {
#if PG_VERSION_NUM >= 160000
  return relation->rd_firstRelfilelocatorSubid;
#else
  return relation->rd_firstRelfilenodeSubid;
#endif
}
// 18 returns the path by value.
inline void CopyPathOf(const FileLocator& file, char (&path)[MAXPGPATH]) {
#if PG_VERSION_NUM >= 180000
  strlcpy(path, relpathperm(file, MAIN_FORKNUM).str, sizeof(path));
#else
  char* const made = relpathperm(file, MAIN_FORKNUM);
  strlcpy(path, made, sizeof(path));
  pfree(made);
#endif
}
inline const FileLocator& FileOf(Relation relation) {
#if PG_VERSION_NUM >= 160000
  return relation->rd_locator;
#else
  return relation->rd_node;
#endif
}
inline FileLocator MakeFileLocator(Oid tablespace, Oid database, RelFileNumber file) {
  return {tablespace, database, file};
}

// 16 has a function that finds one setting.
inline const config_generic* FindGuc(const char* name) {
#if PG_VERSION_NUM >= 160000
  return find_option(name, false, true, ERROR);
#else
  config_generic** const settings = get_guc_variables();
  const int count = GetNumConfigOptions();
  for (int i = 0; i < count; ++i) {
    if (pg_strcasecmp(settings[i]->name, name) == 0) return settings[i];
  }
  return nullptr;
#endif
}

// Calls `take` with the record of each setting.
template <typename Take>
inline void ForEachSetting(Take&& take) {
#if PG_VERSION_NUM >= 160000
  int count = 0;
  config_generic** const settings = get_guc_variables(&count);
#else
  config_generic** const settings = get_guc_variables();
  const int count = GetNumConfigOptions();
#endif
  for (int i = 0; i < count; ++i) take(settings[i]);
}

// Returns the text that RESET restores, for a setting of type string. 19 put all types into one
// struct.
inline const char* ResetTextOf(const config_generic* setting) {
#if PG_VERSION_NUM >= 190000
  return setting->_string.reset_val;
#else
  return reinterpret_cast<const config_string*>(setting)->reset_val;
#endif
}

// What a check hook keeps beside a value. Since 16 settings have memory of their own (upstream
// 407b50f2d42). Returns nullptr if there is none left.
inline void* AllocateForSetting(size_t size) {
#if PG_VERSION_NUM >= 160000
  return guc_malloc(LOG, size);
#else
  return malloc(size);
#endif
}

// 16 has one ownership check for all objects (upstream afbfc02983f).
inline bool OwnsDatabase(Oid database) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(DatabaseRelationId, database, GetUserId());
#else
  return pg_database_ownercheck(database, GetUserId());
#endif
}

inline bool OwnsRelation(Oid relation) {
#if PG_VERSION_NUM >= 160000
  return object_ownercheck(RelationRelationId, relation, GetUserId());
#else
  return pg_class_ownercheck(relation, GetUserId());
#endif
}

// Reports an error of an input function. Since 16 its caller may ask for no error to be thrown
// (upstream d9f7f5d32f2).
#if PG_VERSION_NUM >= 160000
#define IDGEN_ERRSAVE(context, ...) errsave(context, __VA_ARGS__)
#else
#define IDGEN_ERRSAVE(context, ...) ereport(ERROR, __VA_ARGS__)
#endif

// 17 replaced backend IDs by proc numbers (upstream 024c521117579).
inline SMgrRelation OpenStorage(const FileLocator& file) {
#if PG_VERSION_NUM >= 170000
  return smgropen(file, INVALID_PROC_NUMBER);
#else
  return smgropen(file, InvalidBackendId);
#endif
}

// Verifies the checksum and the header of a page as read from disk. 18 added a parameter for
// asynchronous reads.

inline bool IsPageGood(char* page, BlockNumber block) {
#if PG_VERSION_NUM >= 180000
  return PageIsVerified(reinterpret_cast<PageData*>(page), block, 0, nullptr);
#else
  return PageIsVerifiedExtended(page, block, 0);
#endif
}

// 19 renamed the flag.
inline void RequestImmediateCheckpoint() {
#ifdef CHECKPOINT_FAST
  RequestCheckpoint(CHECKPOINT_FAST | CHECKPOINT_WAIT);
#else
  RequestCheckpoint(CHECKPOINT_IMMEDIATE | CHECKPOINT_WAIT);
#endif
}

// Whether there are synchronous standbys, as the checkpointer has published it. The minor releases
// of 2025 split the one flag into two.
inline bool AreStandbysDefined() {
#ifdef SYNC_STANDBY_DEFINED
  return (static_cast<volatile WalSndCtlData*>(WalSndCtl)->sync_standbys_status &
          SYNC_STANDBY_DEFINED) != 0;
#else
  return static_cast<volatile WalSndCtlData*>(WalSndCtl)->sync_standbys_defined;
#endif
}

// 17 introduced custom wait events (upstream c9af0546658). Before, all waits of an extension show
// as "Extension".
inline uint32 WaitEventFor([[maybe_unused]] const char* name) {
#if PG_VERSION_NUM >= 170000
  return WaitEventExtensionNew(name);
#else
  return PG_WAIT_EXTENSION;
#endif
}

// 17 gave processes numbers of their own (upstream 024c521117579). Counts from 0.
inline uint64 MyProcPlace() {
#if PG_VERSION_NUM >= 170000
  return static_cast<uint64>(MyProcNumber);
#else
  return static_cast<uint64>(MyProc->pgprocno);
#endif
}

// 17 put the parts of a virtual transaction ID together (upstream ab355e3a88d).
inline LocalTransactionId CurrentLocalXid() {
#if PG_VERSION_NUM >= 170000
  return MyProc->vxid.lxid;
#else
  return MyProc->lxid;
#endif
}

// Unlocks a page that is still locked because of an error, before its pin is let go. 19 does so
// only where a resource owner lets the pin go; before, page locks were LWLocks, which an error
// releases first of all. Like those it keeps the count of held interrupts, which the error has
// reset.
inline void UnlockAfterError([[maybe_unused]] Buffer buffer) {
#if PG_VERSION_NUM >= 190000
  if (!BufferIsLockedByMe(buffer)) return;
  HOLD_INTERRUPTS();
  LockBuffer(buffer, BUFFER_LOCK_UNLOCK);
#endif
}

// 18 made the bytes unsigned. Both return the length, or -1 for what is not base64 or has no room.
inline int EncodeBase64(unsigned char* bytes, int size, char* text, int room) {
#if PG_VERSION_NUM >= 180000
  return pg_b64_encode(bytes, size, text, room);
#else
  return pg_b64_encode(reinterpret_cast<char*>(bytes), size, text, room);
#endif
}
inline int DecodeBase64(const char* text, int length, unsigned char* bytes, int room) {
#if PG_VERSION_NUM >= 180000
  return pg_b64_decode(text, length, bytes, room);
#else
  return pg_b64_decode(text, length, reinterpret_cast<char*>(bytes), room);
#endif
}

// 19 made the numbers of system caches an enum, which is what cache callbacks receive.
#if PG_VERSION_NUM >= 190000
using CacheNumber = SysCacheIdentifier;
#else
using CacheNumber = int;
#endif

// 17 tells how large an area is. Returns -1 where that is not known.
inline int64 SizeOfArea([[maybe_unused]] dsa_area* area) {
#if PG_VERSION_NUM >= 170000
  return static_cast<int64>(dsa_get_total_size(area));
#else
  return -1;
#endif
}

// 17 gave dshash a copy function (upstream 42a1de3013e).
inline dshash_parameters ByteKeyedTable(size_t key_size, size_t entry_size, int tranche) {
  dshash_parameters params{};
  params.key_size = key_size;
  params.entry_size = entry_size;
  params.compare_function = dshash_memcmp;
  params.hash_function = dshash_memhash;
#if PG_VERSION_NUM >= 170000
  params.copy_function = dshash_memcpy;
#endif
  params.tranche_id = tranche;
  return params;
}

// 19 ties a tranche's name to its creation, for all backends (upstream 38b602b0289).
inline int NewTranche([[maybe_unused]] const char* name) {
#if PG_VERSION_NUM >= 190000
  return LWLockNewTrancheId(name);
#else
  return LWLockNewTrancheId();
#endif
}
inline void NameTranche([[maybe_unused]] int tranche, [[maybe_unused]] const char* name) {
#if PG_VERSION_NUM < 190000
  LWLockRegisterTranche(tranche, name);
#endif
}

// Returns a named piece of shared memory, which the first caller creates and initializes. From 17
// on it is in the DSM registry (upstream 8b2bcf3f287). Before, it is in the slack of main shared
// memory, or in what shmem_request_hook asked for when preloaded.
#if PG_VERSION_NUM >= 170000
inline constexpr bool kRootInMainMemory = false;
#else
inline constexpr bool kRootInMainMemory = true;
#endif
inline void* NamedSharedMemory(const char* name, Size size, void (*initialize)(void*)) {
  bool found = false;
#if PG_VERSION_NUM >= 190000
  struct Call {
    void (*initialize)(void*);
  } call{initialize};
  return GetNamedDSMSegment(
      name, size, [](void* memory, void* arg) { static_cast<Call*>(arg)->initialize(memory); },
      &found, &call);
#elif PG_VERSION_NUM >= 170000
  return GetNamedDSMSegment(name, size, initialize, &found);
#else
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  void* memory = ShmemInitStruct(name, size, &found);
  if (!found) initialize(memory);
  LWLockRelease(AddinShmemInitLock);
  return memory;
#endif
}

}  // namespace idgen::pg
