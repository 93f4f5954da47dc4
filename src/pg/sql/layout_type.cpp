// The SQL type idgen_layout: its input, output and order.
#include "pg.h"

#include <algorithm>

#include "catalog.h"
#include "layout_value.h"
#include "succession_text.h"

namespace idgen::pg {

namespace {

// A longer text is no layout, and the error and the log would show all of it.
constexpr std::size_t kMostText = 1000;
constexpr std::size_t kMostSuccessionText = 4000;

// Reads a layout. Returns nullptr after an error if the caller wants none to be thrown.
StoredLayout* ReadText(Node* context, const char* text) {
  Succession succession;
  Complaint complaint;
  const std::size_t most = IsSuccessionText(text) ? kMostSuccessionText : kMostText;
  if (strlen(text) > most) {
    complaint = {.code = ERRCODE_INVALID_PARAMETER_VALUE,
                 .message = "description of a layout is too long",
                 .detail = psprintf("It has %zu bytes, and can have %zu.", strlen(text), most)};
  } else {
    complaint = ReadLayouts(text, succession);
  }
  if (!complaint) return StoreSuccession(succession);
  ReportSoftly(context, complaint);
  return nullptr;
}

int Compare(std::int64_t a, std::int64_t b) {
  return static_cast<int>(a > b) - static_cast<int>(a < b);
}

// Compares by tick and epoch, then field by field. The order has no further meaning.
int ComparePart(const StoredPart& x, const StoredPart& y) {
  int order = Compare(x.tick_us, y.tick_us);
  if (order == 0) order = Compare(x.epoch_us, y.epoch_us);
  for (std::size_t i = 0; order == 0 && i < kFieldKinds; ++i) {
    order = Compare(x.fields[i].kind, y.fields[i].kind);
    if (order == 0) order = Compare(x.fields[i].bits, y.fields[i].bits);
  }
  return order == 0 ? Compare(x.until_us, y.until_us) : order;
}

int Compare(const StoredLayout& a, const StoredLayout& b) {
  int order = 0;
  const StoredPart* x = a.parts;
  const StoredPart* y = b.parts;
  for (int left = std::min(a.count, b.count); order == 0 && left > 0; --left) {
    order = ComparePart(*x++, *y++);
  }
  return order == 0 ? Compare(a.count, b.count) : order;
}

int CompareArguments(FunctionCallInfo fcinfo) {
  return Compare(StoredArgument(fcinfo, 0), StoredArgument(fcinfo, 1));
}

// Returns the bytes that are hashed: all but the length.
const unsigned char* BytesOf(const StoredLayout& stored) {
  return reinterpret_cast<const unsigned char*>(&stored) + sizeof(stored.vl_len_);
}
int BytesIn(const StoredLayout& stored) {
  return static_cast<int>(VARSIZE(&stored) - sizeof(stored.vl_len_));
}

}  // namespace

extern "C" {

IDGEN_SQL_FUNCTION(idgen_layout_in);
IDGEN_SQL_FUNCTION(idgen_layout_out);
IDGEN_SQL_FUNCTION(idgen_layout_recv);
IDGEN_SQL_FUNCTION(idgen_layout_send);
IDGEN_SQL_FUNCTION(idgen_layout_cmp);
IDGEN_SQL_FUNCTION(idgen_layout_hash);
IDGEN_SQL_FUNCTION(idgen_layout_hash_extended);

Datum idgen_layout_in(PG_FUNCTION_ARGS) {
  return PointerGetDatum(ReadText(fcinfo->context, PG_GETARG_CSTRING(0)));
}

Datum idgen_layout_out(PG_FUNCTION_ARGS) {
  PG_RETURN_CSTRING(SuccessionText(LoadSuccession(StoredArgument(fcinfo, 0))));
}

// The binary form is the text, because names of one server may mean nothing on another.
Datum idgen_layout_recv(PG_FUNCTION_ARGS) {
  auto* const buffer = reinterpret_cast<StringInfo>(PG_GETARG_POINTER(0));
  int length = 0;
  const char* const text = pq_getmsgtext(buffer, buffer->len - buffer->cursor, &length);
  return PointerGetDatum(ReadText(nullptr, text));
}

Datum idgen_layout_send(PG_FUNCTION_ARGS) {
  const char* const text = SuccessionText(LoadSuccession(StoredArgument(fcinfo, 0)));
  StringInfoData buffer;
  pq_begintypsend(&buffer);
  pq_sendtext(&buffer, text, static_cast<int>(strlen(text)));
  PG_RETURN_BYTEA_P(pq_endtypsend(&buffer));
}

#define IDGEN_COMPARISON(name, result) \
  IDGEN_SQL_FUNCTION(name);            \
  Datum name(PG_FUNCTION_ARGS) { PG_RETURN_BOOL(result); }
IDGEN_COMPARISON(idgen_layout_eq, CompareArguments(fcinfo) == 0)
IDGEN_COMPARISON(idgen_layout_ne, CompareArguments(fcinfo) != 0)
IDGEN_COMPARISON(idgen_layout_lt, CompareArguments(fcinfo) < 0)
IDGEN_COMPARISON(idgen_layout_le, CompareArguments(fcinfo) <= 0)
IDGEN_COMPARISON(idgen_layout_gt, CompareArguments(fcinfo) > 0)
IDGEN_COMPARISON(idgen_layout_ge, CompareArguments(fcinfo) >= 0)
#undef IDGEN_COMPARISON

Datum idgen_layout_cmp(PG_FUNCTION_ARGS) { PG_RETURN_INT32(CompareArguments(fcinfo)); }

Datum idgen_layout_hash(PG_FUNCTION_ARGS) {
  const StoredLayout& stored = StoredArgument(fcinfo, 0);
  return hash_any(BytesOf(stored), BytesIn(stored));
}

Datum idgen_layout_hash_extended(PG_FUNCTION_ARGS) {
  const StoredLayout& stored = StoredArgument(fcinfo, 0);
  return hash_any_extended(BytesOf(stored), BytesIn(stored),
                           static_cast<uint64>(PG_GETARG_INT64(1)));
}

}  // extern "C"

}  // namespace idgen::pg
