// The type idgen_bloom: a Bloom filter of IDs (core/bloom.h) as PostgreSQL stores it, the same
// bytes on every machine and in every version.
//
//   0  "idgb"    4  version, 1    5  hashes    6  'b' bigint or 'u' uuid    7  0
//   8  bits, 64 bits with the lowest byte first
//  16  how many IDs were added, the same way; an ID that was added twice counts twice
//  24  the filter
//
// A digest comes from another server, or from anybody who writes its text: nothing in it is relied
// on before DigestOf() has looked.
#pragma once

#include "pg.h"

#include <cstdint>

#include "core/bloom.h"

namespace idgen::pg {

inline constexpr std::size_t kDigestHeader = 24;

enum class DigestKind : char { kBigint = 'b', kUuid = 'u' };

// What is in a digest. The filter is in the value's own memory.
struct Digest {
  BloomShape shape;
  DigestKind kind;
  std::uint64_t added;
  unsigned char* bytes;   // the whole
  unsigned char* filter;  // shape.bits / 8 bytes
};

// Returns a digest without IDs, in the current memory context.
bytea* NewDigest(BloomShape shape, DigestKind kind);

// Reads a value of the type, which is not compressed. An error if it is no digest.
Digest DigestOf(bytea* value);

// Writes how many IDs were added into the digest.
void SetAdded(const Digest& digest, std::uint64_t added);

// Adds all IDs of one digest to another. An error if they are of different shapes.
void Unite(const Digest& to, const Digest& from);

// Returns the shape for what a user wants. Reports what cannot be.
BloomShape DigestShapeFor(int64 expected, float8 error_rate);

}  // namespace idgen::pg
