// The smallest program that makes IDs.
#include <idgen/generator.h>

#include <cstdio>

int main() {
  // The machine ID (0 to 31) is this process's own: nobody else may use it.
  idgen::Generator generator(idgen::kSnowflake, {.identity = {.machine = 7}});

  const idgen::Result result = generator.Next();
  if (result.status != idgen::Status::kOk) {
    std::fprintf(stderr, "no ID: %s\n", idgen::StatusText(result.status));
    return 1;
  }

  const idgen::Parts parts = idgen::kSnowflake.Parse(static_cast<std::uint64_t>(result.id));
  std::printf("ID %lld: %lld us since 1970, machine %llu, sequence %llu\n",
              static_cast<long long>(result.id),
              static_cast<long long>(idgen::kSnowflake.StartOfTick(parts.tick)),
              static_cast<unsigned long long>(parts.identity.machine),
              static_cast<unsigned long long>(parts.sequence));
  return 0;
}
