// The statements of a PostgreSQL registry. Any program in any language may use them: each is one
// statement, with parameters, to be run with kTransaction before and COMMIT after it. Registries
// that an earlier version has made lack some things. What stands between /*clock?*/ and /*.*/ is
// left out where the holders have no columns clock_offset and clock_error; /*scheme?*/ is for the
// tables pool and scheme and the column acknowledged. What stands between /*:*/ and /*.*/ is for
// registries that lack it.
//
// Why they are right at READ COMMITTED, where a statement sees one snapshot, but a row that it
// changes or locks in its latest version (and then checks its WHERE again on that version):
//
// 1. `ended` never returns to NULL, and no statement changes a holder that has ended: each has
//    `ended IS NULL` in its WHERE, which is checked on the locked, latest version. So a snapshot,
//    however old, that shows a holder as ended shows its final used_until.
// 2. An identity passes to another holder only by kClaim, under the lock of its row, and only if
//    the holder in the latest version of the row has ended by kClaim's snapshot. A snapshot
//    that is too old to show that only makes the claim fail.
// 3. kClaim locks the claiming holder's row until it commits. So a holder that claims has not
//    ended, and whoever ends it later does so after the identity points to it.
//
// From 1 to 3: the used_until that the next holder begins at is final, and the largest of all
// holders before.
//
// 4. A version of a pool's scheme is written by kWriteScheme only, with the change of the pool's
// row
//    from the version before.
// 5. Whoever inserts a holder locks the pool's row FOR SHARE until the commit and sees, in its
//    latest version, the version of the scheme that the holder goes by: the trigger check_scheme
//    does that for everybody. The change of the row by kWriteScheme conflicts with that lock (FOR
//    KEY SHARE would not do).
//
// From 4 and 5: a holder that goes by an earlier version than was written was committed before
// that. So it is seen by a statement that begins after the write is committed, like kHolders after
// kWriteScheme. kHolders begins after kEndAll is committed, too: what that ended is final.
//
// Whether a holder has expired only decides who may be ended. That is by this server's
// clock_timestamp(), read while the row is locked: now() would be the time before a wait for the
// lock. A renewal gives a whole term, then, and an end does not hit who renewed meanwhile.
#pragma once

namespace idgen::registry::sql {

extern const char kTransaction[];
extern const char kEnrol[];
extern const char kRenew[];
extern const char kClaim[];
extern const char kEnd[];
extern const char kPick[];
extern const char kRelease[];
extern const char kList[];
extern const char kEvict[];
extern const char kBan[];
extern const char kForget[];
extern const char kLatest[];
extern const char kReadScheme[];
extern const char kWriteScheme[];
extern const char kEndAll[];
extern const char kHolders[];
extern const char kListen[];

inline constexpr char kChannel[] = "idgen_scheme";  // each version notifies it of its pool
inline constexpr char kIsStale[] = "ID001";         // the SQLSTATE of the trigger check_scheme

}  // namespace idgen::registry::sql
