// A session's handle of a sequence that gives tickets: the hot path, and what is looked up for it.
//
// A handle is ready for one transaction. Entering it takes the lock that nextval() takes and keeps
// until the transaction ends, checks the privileges, and pins the page of the sequence. While the
// page is pinned it stays where it is, so that each call can look at its seal by reading one word
// of memory (ticket_page.h). The pin is let go before the transaction, or a part of it, ends.
#pragma once

#include "pg.h"

#include "core/ticket.h"
#include "last_made.h"
#include "ticket_entry.h"
#include "ticket_page.h"

namespace idgen::pg {

struct TicketHandle {
  // The hot path's.
  LocalTransactionId ready_in = InvalidLocalTransactionId;  // the transaction that it is ready for
  Oid user = InvalidOid;                                    // whose privileges were checked
  const std::int64_t* seal = nullptr;                       // on the pinned page
  Tickets* tickets = nullptr;
  unsigned level = 0;  // 1: only what the standbys have
  enum class Last : std::uint8_t { kNone, kNew, kSeen } has_last = Last::kNone;
  std::int64_t last = 0;  // of this session, unless there is none; kSeen: AddNewTickets() looked

  // The slow path's.
  Oid sequence = InvalidOid;
  TicketEntry* entry = nullptr;
  LocalTransactionId locked_in = InvalidLocalTransactionId;
  Buffer pinned = InvalidBuffer;
  Buffer recent = InvalidBuffer;  // where the page was found last
  std::ptrdiff_t seal_place = 0;  // on the page; 0: not known
  std::uint64_t changes = 1;      // counts what may have changed in the catalogs
  std::uint64_t prepared = 0;     // the count when the rest was read
  FileLocator file{};
  bool is_uncommitted = false;
  std::int64_t increment = 0;
  std::int64_t least = 0;  // MINVALUE
  std::int64_t most = 0;   // MAXVALUE
  // Its numbers come from a ticket server (segment_page.h).
  bool is_fed = false;
  char name_at_server[4 * NAMEDATALEN + 8] = {};  // the same as here, qualified and quoted
  TicketHandle* next = nullptr;
  TicketHandle* next_entered = nullptr;  // in this transaction
  bool is_entered = false;
};

// The session's handle of a sequence, whatever the OID stands for. It lives as long as the session.
TicketHandle& TicketHandleOf(Oid sequence);

// Makes the handle ready for this transaction and the current user. Errors: recovery, no sequence,
// no privilege, a kind of sequence that gives no tickets, a transaction that is read-only.
void EnterTickets(TicketHandle& handle, const char* function = "ticket_nextval()");

// Locks the relation as EnterTickets() does, and opens it if it is a sequence.
Relation OpenTicketSequence(TicketHandle& handle);

// Reports an error if the current user has none of these privileges.
void CheckTicketPrivilege(const TicketHandle& handle, AclMode any_of);

// Notes where the seal is. The page is locked and has a record: then the tuple stays where it is,
// as long as the sequence has this file.
void NoteSeal(TicketHandle& handle, const std::int64_t* seal);

inline bool IsReady(const TicketHandle& handle) {
  return handle.ready_in == CurrentLocalXid() && handle.user == GetUserId() && !XactReadOnly;
}

// Whether nobody but tickets has written the page. The word is written by PostgreSQL in one piece,
// with the page locked. So whoever calls setval() or nextval() has broken the seal when it returns.
inline bool IsSealed(const TicketHandle& handle) {
  return std::atomic_ref(const_cast<std::int64_t&>(*handle.seal)).load(std::memory_order_acquire) ==
         kSeal;
}

// The slow path. Errors: those of EnterTickets(), and the end of the sequence.
TakenTickets TakeTicketsSlowly(TicketHandle& handle, std::uint64_t least, std::uint64_t most);

// Lengthens a range that is low, unless another session is at it.
void LengthenEarly(TicketHandle& handle);

// Begins anew with `value`, whatever was handed out. The handle is ready.
void RestartTickets(TicketHandle& handle, std::int64_t value);

// Forgets the segments of a sequence that takes its numbers from a ticket server, as a copy of it
// does. The handle is ready.
void DropSegments(TicketHandle& handle);

// Ends the range and writes to the page which number was the last, if nobody else has written it.
// Waits for nobody: it may do nothing. In a transaction of its own.
void GiveBackTickets(TicketHandle& handle);

// Forgets the last ticket of each sequence, as if this session had taken none: DISCARD.
void ForgetLastTickets();

// Adds the last ticket of each sequence of which one was taken since the last look that was noted.
void AddNewTickets(LastMade& made, bool notes);

// Registers for ends of transactions and invalidations; once, from _PG_init.
void WatchTickets();

// Notes the last number of those that a call has returned.
inline void NoteLast(TicketHandle& handle, std::int64_t last) {
  handle.last = last;
  handle.has_last = TicketHandle::Last::kNew;
}

// At least `least` numbers and at most `most`, in the order in which they are handed out.
pg_attribute_always_inline TakenTickets TakeSome(TicketHandle& handle, std::uint64_t least,
                                                 std::uint64_t most) {
  if (likely(IsReady(handle))) {
    const TakenTickets taken = TakeTickets(*handle.tickets, handle.level, least, most,
                                           [&handle] { return IsSealed(handle); });
    if (likely(taken.count > 0)) {
      if (unlikely(taken.is_low)) LengthenEarly(handle);
      return taken;
    }
  }
  return TakeTicketsSlowly(handle, least, most);
}

// One, by the slow path.
std::int64_t NextTicketSlowly(TicketHandle& handle);

// One that is greater than `beyond`; numbers in between are skipped. Of a sequence that ascends.
std::int64_t NextTicketBeyond(TicketHandle& handle, std::int64_t beyond);

inline std::int64_t NextTicket(TicketHandle& handle) {
  if (likely(IsReady(handle))) {
    const TakenTickets taken =
        TakeTickets(*handle.tickets, handle.level, 1, 1, [&handle] { return IsSealed(handle); });
    if (likely(taken.count > 0)) {
      NoteLast(handle, taken.first);
      if (unlikely(taken.is_low)) LengthenEarly(handle);
      return handle.last;
    }
  }
  return NextTicketSlowly(handle);
}

}  // namespace idgen::pg
