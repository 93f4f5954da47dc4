// Text forms, written and read.
#include "bench.h"

#include <idgen/text.h>

#include <array>

namespace idgen {
namespace {

constexpr std::uint64_t kSomeId = 912261120518167228;

void Encode(benchmark::State& state, TextForm form) {
  const TextFormat& format = TextFormatOf(form);
  std::uint64_t id = kSomeId;
  std::array<char, kWidestText> text{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(id);
    benchmark::DoNotOptimize(EncodeText(id, format, text.data()));
    benchmark::ClobberMemory();
  }
}
BENCHMARK_CAPTURE(Encode, base62, TextForm::kBase62)->Name("EncodeText base62");
BENCHMARK_CAPTURE(Encode, base32, TextForm::kBase32)->Name("EncodeText base32");
BENCHMARK_CAPTURE(Encode, base58, TextForm::kBase58)->Name("EncodeText base58");
BENCHMARK_CAPTURE(Encode, hex, TextForm::kHex)->Name("EncodeText hex");
BENCHMARK_CAPTURE(Encode, decimal, TextForm::kDecimal)->Name("EncodeText decimal");

void Decode(benchmark::State& state, TextForm form) {
  const TextFormat& format = TextFormatOf(form);
  std::array<char, kWidestText> text{};
  const std::string_view input(text.data(), EncodeText(kSomeId, format, text.data()));
  if (DecodeText(input, format).id != kSomeId) state.SkipWithError("not what was written");
  for (auto _ : state) {
    benchmark::ClobberMemory();
    DecodedText decoded = DecodeText(input, format);
    benchmark::DoNotOptimize(decoded);
  }
}
BENCHMARK_CAPTURE(Decode, base62, TextForm::kBase62)->Name("DecodeText base62");
BENCHMARK_CAPTURE(Decode, base32, TextForm::kBase32)->Name("DecodeText base32");
BENCHMARK_CAPTURE(Decode, base58, TextForm::kBase58)->Name("DecodeText base58");
BENCHMARK_CAPTURE(Decode, hex, TextForm::kHex)->Name("DecodeText hex");
BENCHMARK_CAPTURE(Decode, decimal, TextForm::kDecimal)->Name("DecodeText decimal");

}  // namespace
}  // namespace idgen
