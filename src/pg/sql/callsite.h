// What a place in a query that calls one of our functions keeps between calls, in fn_extra: the
// meaning of one argument. A constant argument is looked up once. Any other is compared with the
// one before.
#pragma once

#include "pg.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "convert.h"
#include "definition.h"
#include "handle.h"
#include "layout_value.h"

namespace idgen::pg {

// Returns an argument as text, which lives as long as the argument.
inline std::string_view TextArgument(FunctionCallInfo fcinfo, int argument) {
  const text* value = PG_GETARG_TEXT_PP(argument);
  return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

// The same for a name or another short text. A text that is too long to be one is cut off, and the
// rest of it is not even read.
inline std::string_view ShortTextArgument(FunctionCallInfo fcinfo, int argument) {
  constexpr int kMost = 1024;
  const varlena* const raw = PG_GETARG_RAW_VARLENA_P(argument);
  if (likely(!VARATT_IS_EXTERNAL(raw) && !VARATT_IS_COMPRESSED(raw))) {
    return {VARDATA_ANY(raw), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(raw))};
  }
  const text* value = PG_GETARG_TEXT_P_SLICE(argument, 0, kMost);
  const int size = static_cast<int>(VARSIZE_ANY_EXHDR(value));
  // Do not cut in the middle of a character.
  return {VARDATA_ANY(value),
          static_cast<std::size_t>(pg_mbcliplen(VARDATA_ANY(value), size, size))};
}

inline bool IsConstantArgument(const FmgrInfo* function, int argument) {
  const Node* call = function->fn_expr;
  if (call == nullptr || !IsA(call, FuncExpr)) return false;
  const List* arguments = reinterpret_cast<const FuncExpr*>(call)->args;
  return argument < list_length(arguments) && IsA(list_nth(arguments, argument), Const);
}

template <typename Site>
Site& NewSite(FunctionCallInfo fcinfo, int argument) {
  auto* const site =
      static_cast<Site*>(MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(Site)));
  site->constant = IsConstantArgument(fcinfo->flinfo, argument);
  fcinfo->flinfo->fn_extra = site;
  return *site;
}

// --- A layout ---------------------------------------------------------------------------------

// A succession of layouts, with names.
struct SuccessionSite {
  Succession succession;
  StoredPart parts[Succession::kMostStages];  // the argument's
  char names[Succession::kMostStages][kLongestLayoutText];
};

struct LayoutSite {
  bool constant;
  bool is_succession;
  TupleDesc columns;     // for the function's own use
  StoredLayout stored;   // the argument, up to its first part
  Layout layout;         // its meaning, with its name, if it is one layout
  SuccessionSite* more;  // else; allocated on first use
  char name[kLongestLayoutText];
};

[[gnu::noinline]] inline const LayoutSite& LoadArgument(FunctionCallInfo fcinfo, int argument,
                                                        const StoredLayout& stored) {
  const Succession succession = LoadSuccession(stored);
  auto* site = static_cast<LayoutSite*>(fcinfo->flinfo->fn_extra);
  if (site == nullptr) site = &NewSite<LayoutSite>(fcinfo, argument);
  site->is_succession = succession.count > 1;
  if (site->is_succession) {
    if (site->more == nullptr) {
      site->more = static_cast<SuccessionSite*>(
          MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(SuccessionSite)));
    }
    site->more->succession = succession;
    std::copy_n(static_cast<const StoredPart*>(stored.parts), succession.count, site->more->parts);
    for (std::size_t i = 0; i < succession.count; ++i) {
      Layout& layout = site->more->succession.stages[i].layout;
      char* const name = site->more->names[i];
      layout.name = {name, WriteLayoutText(layout, name)};
    }
  } else {
    site->layout = succession.last();
    site->layout.name = {site->name, WriteLayoutText(site->layout, site->name)};
  }
  site->stored = stored;
  return *site;
}

inline bool IsOfSite(const LayoutSite& site, const StoredLayout& stored) {
  return memcmp(&site.stored, &stored, sizeof(stored)) == 0 &&
         (!site.is_succession ||
          memcmp(site.more->parts, stored.parts, stored.count * sizeof(StoredPart)) == 0);
}

// Returns what an argument holds.
inline const LayoutSite& SiteOfArgument(FunctionCallInfo fcinfo, int argument) {
  const auto* const site = static_cast<LayoutSite*>(fcinfo->flinfo->fn_extra);
  if (likely(site != nullptr && site->constant)) return *site;
  const auto& stored = StoredArgument(fcinfo, argument);
  if (likely(site != nullptr && IsOfSite(*site, stored))) return *site;
  return LoadArgument(fcinfo, argument, stored);
}

// Returns all layouts that an argument holds.
inline Succession LayoutsOfArgument(FunctionCallInfo fcinfo, int argument) {
  const LayoutSite& site = SiteOfArgument(fcinfo, argument);
  return site.is_succession ? site.more->succession : Succession(site.layout);
}

// Returns the layout that an argument holds, of a succession the one that an ID or an instant is
// of.
inline const Layout& LayoutOfId(FunctionCallInfo fcinfo, int argument, int64 id) {
  const LayoutSite& site = SiteOfArgument(fcinfo, argument);
  if (likely(!site.is_succession)) return site.layout;
  const Succession& succession = site.more->succession;
  return succession.stages[succession.StageOf(static_cast<std::uint64_t>(std::max(id, int64{0})))]
      .layout;
}
inline const Layout& LayoutAt(FunctionCallInfo fcinfo, int argument, TimestampTz timestamp) {
  const LayoutSite& site = SiteOfArgument(fcinfo, argument);
  if (likely(!site.is_succession)) return site.layout;
  const Succession& succession = site.more->succession;
  std::int64_t time_us = 0;
  // An infinite one is refused for whatever layout.
  (void)FromTimestamp(timestamp, time_us);
  return succession.stages[succession.StageAt(time_us)].layout;
}

// --- What a name stands for -------------------------------------------------------------------

template <typename Target>
struct NameSite {
  bool constant;
  std::uint8_t length;
  char name[NAMEDATALEN];
  Target* target;
};

template <typename Target, typename Find>
[[gnu::noinline]] Target& FindByArgument(FunctionCallInfo fcinfo, int argument, Find&& find) {
  const std::string_view name = ShortTextArgument(fcinfo, argument);
  Target& target = find(name);
  auto* site = static_cast<NameSite<Target>*>(fcinfo->flinfo->fn_extra);
  if (site == nullptr) site = &NewSite<NameSite<Target>>(fcinfo, argument);
  // No known name is longer than this.
  site->length = static_cast<std::uint8_t>(std::min<std::size_t>(name.size(), NAMEDATALEN));
  std::copy_n(name.data(), site->length, site->name);
  site->target = &target;
  return target;
}

// Returns what the name in an argument stands for. `find` looks a name up, or reports that it is
// unknown. Its result stays valid for the session.
template <typename Target, typename Find>
inline Target& NamedByArgument(FunctionCallInfo fcinfo, int argument, Find&& find) {
  const auto* const site = static_cast<NameSite<Target>*>(fcinfo->flinfo->fn_extra);
  if (likely(site != nullptr)) {
    if (likely(site->constant ||
               std::string_view(site->name, site->length) == ShortTextArgument(fcinfo, argument))) {
      return *site->target;
    }
  }
  return FindByArgument<Target>(fcinfo, argument, find);
}

// Returns the session's handle of the generator that an argument names.
inline Handle& HandleOfArgument(FunctionCallInfo fcinfo, int argument) {
  return NamedByArgument<Handle>(fcinfo, argument, HandleOf);
}

}  // namespace idgen::pg
