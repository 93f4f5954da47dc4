// What a place in a query that calls one of our functions keeps between the calls, in
// fn_extra: what the name in one of the arguments stands for. Where the name is a constant it
// is not looked at again, elsewhere it is compared with the last one.
#pragma once

#include "pg.h"

#include <algorithm>
#include <string_view>

#include "catalog.h"
#include "handle.h"

namespace idgen::pg {

// The text of an argument; it lives as long as the argument.
inline std::string_view TextArgument(FunctionCallInfo fcinfo, int argument) {
  const text* value = PG_GETARG_TEXT_PP(argument);
  return {VARDATA_ANY(value), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(value))};
}

// The same for a name, or what else is short: a text that is longer than those can be is cut off,
// and what makes it long is not even read.
inline std::string_view ShortTextArgument(FunctionCallInfo fcinfo, int argument) {
  constexpr int kMost = 1024;
  const varlena* const raw = PG_GETARG_RAW_VARLENA_P(argument);
  if (likely(!VARATT_IS_EXTERNAL(raw) && !VARATT_IS_COMPRESSED(raw))) {
    return {VARDATA_ANY(raw), static_cast<std::size_t>(VARSIZE_ANY_EXHDR(raw))};
  }
  const text* value = PG_GETARG_TEXT_P_SLICE(argument, 0, kMost);
  const int size = static_cast<int>(VARSIZE_ANY_EXHDR(value));
  // Not in the middle of a character.
  return {VARDATA_ANY(value),
          static_cast<std::size_t>(pg_mbcliplen(VARDATA_ANY(value), size, size))};
}

// `Target` is what the name stands for.
template <typename Target>
struct CallSite {
  Target* target;
  std::uint64_t version;
  TupleDesc columns;  // for the function's own use
  bool constant;
  std::uint8_t length;
  char name[NAMEDATALEN];

  [[nodiscard]] bool IsFor(std::string_view other) const {
    return std::string_view(name, length) == other;
  }
};

inline bool IsConstantArgument(const FmgrInfo* function, int argument) {
  const Node* call = function->fn_expr;
  if (call == nullptr || !IsA(call, FuncExpr)) return false;
  const List* arguments = reinterpret_cast<const FuncExpr*>(call)->args;
  return argument < list_length(arguments) && IsA(list_nth(arguments, argument), Const);
}

// Finds out what the name in an argument stands for, and keeps it.
template <typename Target, typename Find>
[[gnu::noinline]] Target& FindByArgument(FunctionCallInfo fcinfo, int argument, Find&& find) {
  const std::string_view name = ShortTextArgument(fcinfo, argument);
  const std::uint64_t version = CatalogVersion();
  Target& target = find(name);
  auto* site = static_cast<CallSite<Target>*>(fcinfo->flinfo->fn_extra);
  if (site == nullptr) {
    site = static_cast<CallSite<Target>*>(
        MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(CallSite<Target>)));
    site->constant = IsConstantArgument(fcinfo->flinfo, argument);
    fcinfo->flinfo->fn_extra = site;
  }
  // A name that is known is not longer than that.
  site->length = static_cast<std::uint8_t>(std::min<std::size_t>(name.size(), NAMEDATALEN));
  std::copy_n(name.data(), site->length, site->name);
  site->version = version;
  site->target = &target;
  return target;
}

// What the name in an argument stands for; `find` looks a name up, or reports that it is
// unknown. What it returns stays good while CatalogVersion() says the same, or with
// `for_session` for ever.
template <typename Target, bool for_session, typename Find>
inline Target& NamedByArgument(FunctionCallInfo fcinfo, int argument, Find&& find) {
  const auto* const site = static_cast<CallSite<Target>*>(fcinfo->flinfo->fn_extra);
  if (likely(site != nullptr)) {
    const bool current = for_session || site->version == CatalogVersion();
    if (likely(current && (site->constant || site->IsFor(ShortTextArgument(fcinfo, argument))))) {
      return *site->target;
    }
  }
  return FindByArgument<Target>(fcinfo, argument, find);
}

using LayoutSite = CallSite<const Layout>;

// The layout that an argument names.
inline const Layout& LayoutOfArgument(FunctionCallInfo fcinfo, int argument) {
  return NamedByArgument<const Layout, false>(
      fcinfo, argument, [](std::string_view name) -> const Layout& { return LayoutByName(name); });
}

// The session's handle of the generator that an argument names.
inline Handle& HandleOfArgument(FunctionCallInfo fcinfo, int argument) {
  return NamedByArgument<Handle, true>(
      fcinfo, argument, [](std::string_view name) -> Handle& { return HandleOf(name); });
}

}  // namespace idgen::pg
