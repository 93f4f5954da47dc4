// What a place in a query that calls one of our functions keeps between calls, in fn_extra: the
// meaning of one argument. A constant argument is looked up once. Any other is compared with the
// one before.
#pragma once

#include "pg.h"

#include <algorithm>
#include <cstring>
#include <string_view>

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

struct LayoutSite {
  bool constant;
  TupleDesc columns;    // for the function's own use
  StoredLayout stored;  // the argument
  Layout layout;        // its meaning, with its name
  char name[kLongestLayoutText];
};

[[gnu::noinline]] inline const Layout& LoadArgument(FunctionCallInfo fcinfo, int argument,
                                                    const StoredLayout& stored) {
  const Layout layout = LoadLayout(stored);
  auto* site = static_cast<LayoutSite*>(fcinfo->flinfo->fn_extra);
  if (site == nullptr) site = &NewSite<LayoutSite>(fcinfo, argument);
  site->stored = stored;
  site->layout = layout;
  site->layout.name = {site->name, WriteLayoutText(layout, site->name)};
  return site->layout;
}

// Returns the layout that an argument holds.
inline const Layout& LayoutArgument(FunctionCallInfo fcinfo, int argument) {
  const auto* const site = static_cast<LayoutSite*>(fcinfo->flinfo->fn_extra);
  if (likely(site != nullptr && site->constant)) return site->layout;
  const auto& stored = *reinterpret_cast<const StoredLayout*>(PG_GETARG_VARLENA_P(argument));
  if (likely(site != nullptr && memcmp(&site->stored, &stored, sizeof(stored)) == 0)) {
    return site->layout;
  }
  return LoadArgument(fcinfo, argument, stored);
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
