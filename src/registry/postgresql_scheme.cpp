#include "postgresql_scheme.h"

#include <cstring>

#include "postgresql_statements.h"
#include "postgresql_values.h"

namespace idgen::registry::postgresql {

namespace {

// Whether the registry has schemes, as of now.
bool HasSchemes(Link& link, bool& has, std::int64_t deadline_us, Error& error) {
  if (!link.Has(kScheme) && !link.LookAgain(deadline_us, error)) return false;
  has = link.Has(kScheme);
  return true;
}

bool NeedSchemes(Link& link, std::int64_t deadline_us, Error& error) {
  bool has = false;
  if (!HasSchemes(link, has, deadline_us, error)) return false;
  return has || Fail(error,
                     "the registry has no tables for schemes, or this role may not read them; run "
                     "the SQL of idgen_registry_schema() there again, and grant what it says");
}

// The only row of an answer about a pool, if there is one.
bool TakeLatest(const Link& link, std::int64_t& latest, Error& error) {
  latest = 0;
  return link.Rows() == 0 ||
         link.Number(0, 0, 0, kMostVersion, "the version of the pool's scheme", latest, error);
}

bool TakeScheme(const Link& link, int row, std::int64_t version, char (&changed_by)[kNameSize],
                Scheme& scheme, Error& error) {
  if (!link.Number(row, 1, version, version, "a version of the scheme", scheme.version, error)) {
    return false;
  }
  const std::string_view text = link.Text(row, 2);
  if (link.IsNull(row, 2) || link.IsNull(row, 3)) {
    return Fail(error, "a version of the registry's scheme is missing");
  }
  if (text.size() >= kSchemeSize) {
    return Fail(error, "a version of the registry's scheme is longer than 65535 bytes");
  }
  CopyName(changed_by, link.Text(row, 3));
  scheme.text = text.data();  // libpq ends it with a zero
  scheme.changed_by = changed_by;
  return link.Number(row, 4, kLeastMs, kMostMs, "changed_at of the scheme", scheme.changed_ms,
                     error);
}

bool TakeHolder(const Link& link, int row, ListedHolder& holder, Error& error) {
  const std::string_view token = link.Text(row, 0);
  if (!IsToken(token)) return Fail(error, "a holder of the registry has a token that is none");
  std::memcpy(holder.token, token.data(), token.size());
  holder.token[token.size()] = '\0';
  CopyName(holder.name, link.Text(row, 1));
  return link.Boolean(row, 2, "ended", holder.lives, error) &&
         link.Number(row, 3, kLeastMs, kMostMs, "used_until", holder.used_until_ms, error) &&
         link.Number(row, 4, -kLongestMs, kLongestMs, "expires", holder.expires_in_ms, error) &&
         link.Number(row, 5, 0, kMostVersion, "acknowledged", holder.acknowledged, error);
}

}  // namespace

bool ReadLatest(Link& link, const char* pool, std::int64_t& latest, std::int64_t deadline_us,
                Error& error) {
  return AddPool(link, pool, error) && link.Run(sql::kLatest, 1, deadline_us, error) &&
         TakeLatest(link, latest, error);
}

Status ReadScheme(Connection* connection, const char* pool, std::int64_t version,
                  void (*each)(void* context, const Scheme&), void* context,
                  std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    bool has = false;
    if (version != kLatestScheme && version != kAllSchemes && !CheckVersion(version, error)) {
      return Status::kFailed;
    }
    if (!HasSchemes(link, has, deadline_us, error)) return Status::kFailed;
    if (!has) return Status::kDone;
    if (!AddPool(link, pool, error)) return Status::kFailed;
    link.AddInteger(version);
    if (!link.Run(sql::kReadScheme, 5, deadline_us, error)) return Status::kFailed;
    std::int64_t latest = 0;
    if (!TakeLatest(link, latest, error)) return Status::kFailed;
    const std::int64_t first = version == kLatestScheme ? latest
                               : version == kAllSchemes ? 1
                                                        : version;
    for (int row = 0; row < link.Rows(); ++row) {
      if (link.IsNull(row, 1)) continue;
      char changed_by[kNameSize];
      Scheme scheme{};
      if (!TakeScheme(link, row, first + row, changed_by, scheme, error)) return Status::kFailed;
      each(context, scheme);
    }
    return Status::kDone;
  });
}

Status WriteScheme(Connection* connection, const char* pool, const Scheme& scheme, bool& written,
                   std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    written = false;
    const std::string_view text = ViewOf(scheme.text, kSchemeSize);
    if (text.size() == kSchemeSize) {
      return Failed(error, "the text of the scheme is longer than 65535 bytes");
    }
    if (scheme.version < 1) return Failed(error, "a version of the scheme to write is not above 0");
    if (!CheckVersion(scheme.version, error) || !CheckTime(scheme.changed_ms, error) ||
        !NeedSchemes(link, deadline_us, error) || !AddPool(link, pool, error)) {
      return Status::kFailed;
    }
    char changed_by[kNameSize];
    CopyName(changed_by, ViewOf(scheme.changed_by, kNameSize));
    link.AddInteger(scheme.version);
    if (!link.AddText(text, error) || !link.AddText(changed_by, error)) return Status::kFailed;
    link.AddTime(scheme.changed_ms);
    if (!link.Run(sql::kWriteScheme, 2, deadline_us, error)) return Status::kFailed;
    written = link.Rows() > 0;
    return Status::kDone;
  });
}

// The holders are read by a snapshot that is taken after the ends are committed.
Status Holders(Connection* connection, const char* pool, bool end_expired,
               void (*each)(void* context, const ListedHolder&), void* context,
               std::int64_t deadline_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    if (!NeedSchemes(link, deadline_us, error)) return Status::kFailed;
    if (end_expired &&
        (!AddPool(link, pool, error) || !link.Run(sql::kEndAll, 1, deadline_us, error))) {
      return Status::kFailed;
    }
    if (!AddPool(link, pool, error) || !link.Run(sql::kHolders, 6, deadline_us, error)) {
      return Status::kFailed;
    }
    for (int row = 0; row < link.Rows(); ++row) {
      ListedHolder holder{};
      if (!TakeHolder(link, row, holder, error)) return Status::kFailed;
      each(context, holder);
    }
    return Status::kDone;
  });
}

// Once for each connection it listens, and asks for the latest version after that; later it asks
// only when a notification came, which libpq keeps meanwhile. Through a pooler in transaction mode
// none may come. Whatever was broken off is done again by the next call.
Status Watch(Connection* connection, const char* pool, SchemeVersions& scheme,
             std::int64_t until_us, Error& error) {
  return Guarded(error, [&] {
    Link& link = LinkOf(connection);
    Link::Scratch& scratch = link.scratch;
    scheme.latest = scheme.known;
    if (!AddPool(link, pool, error)) return Status::kFailed;
    bool ended = false;
    if (link.Has(kScheme) && !scratch.listens) {
      if (!link.RunUntil(sql::kListen, 1, until_us, ended, error)) {
        return ended ? Status::kDone : Status::kFailed;
      }
      scratch.listens = scratch.has_news = true;
    }
    const std::string_view watched = ViewOf(pool, sizeof Holder::pool);
    if (scratch.watched != watched) {
      scratch.watched = watched;
      scratch.seen = 0;
      scratch.has_news = scratch.listens;
    }
    for (;;) {
      if (scratch.has_news) {
        if (!AddPool(link, pool, error)) return Status::kFailed;
        if (!link.RunUntil(sql::kLatest, 1, until_us, ended, error)) {
          return ended ? Status::kDone : Status::kFailed;
        }
        if (!TakeLatest(link, scratch.seen, error)) return Status::kFailed;
        scratch.has_news = false;
      }
      // Less than what is known: a renewal has told that since.
      if (scratch.seen > scheme.known) {
        scheme.latest = scratch.seen;
        return Status::kDone;
      }
      bool notified = false;
      if (!link.AwaitNotification(sql::kChannel, watched, until_us, notified, error)) {
        return Status::kFailed;
      }
      if (!notified) return Status::kDone;
      scratch.has_news = true;
    }
  });
}

}  // namespace idgen::registry::postgresql
