#include "kind.h"

#include <dirent.h>

#include "settings.h"
#include "test_clock.h"

namespace idgen::pg {

namespace {

// Reading the clock for each ID would double their cost. A tick has numbers enough for all that is
// made while one reading serves.
void DefineFine(Handle& handle) {
  handle.generator.layout = FineLayout(handle.name);
  handle.may_be_late = true;
  handle.is_leased = false;  // two servers' IDs differ by their random bits, and those of two runs
  handle.renews = true;
}

void DefineWithNode(Handle& handle) {
  handle.generator.layout = WithNode(FineLayout(handle.name));
  handle.may_be_late = true;
}

// Reads a network card's address from the kernel: the first in the order of their names that is
// not zero and nobody's own making.
std::uint64_t HardwareAddress() {
  constexpr char kCards[] = "/sys/class/net";
  constexpr std::uint64_t kLocal = 2ULL << 40;
  char first[NAME_MAX + 1] = {};
  std::uint64_t address = 0;
  DIR* const directory = AllocateDir(kCards);
  while (const dirent* const entry = ReadDirExtended(directory, kCards, LOG)) {
    if (*first != '\0' && strcmp(entry->d_name, first) > 0) continue;
    char path[MAXPGPATH];
    snprintf(path, sizeof(path), "%s/%s/address", kCards, entry->d_name);
    FILE* const file = AllocateFile(path, "r");
    if (file == nullptr) continue;
    unsigned octets[6] = {};
    std::uint64_t number = 0;
    if (fscanf(file, "%2x:%2x:%2x:%2x:%2x:%2x", &octets[0], &octets[1], &octets[2], &octets[3],
               &octets[4], &octets[5]) == 6) {
      for (const unsigned octet : octets) number = number << 8 | octet;
    }
    FreeFile(file);
    if (number == 0 || (number & (kMulticast | kLocal)) != 0) continue;
    address = number;
    strlcpy(first, entry->d_name, sizeof(first));
  }
  FreeDir(directory);
  if (address == 0) {
    ereport(ERROR, (errcode(ERRCODE_CONFIG_FILE_ERROR),
                    errmsg("this machine has no hardware address for UUIDs"),
                    errdetail("idgen.uuid_node is mac."),
                    errhint("Set idgen.uuid_node to random or identity.")));
  }
  return address;
}

// What a test clock has in place of it, the same in each test.
constexpr std::uint64_t kTestNode = 0x1d6e'7e57'0000'0001;

void DefineGregorian(Kind& kind) {
  Handle& handle = kind.handle;
  const Layout layout = GregorianLayout(kind.name);
  const UuidNode source = SourceOfUuidNode();
  handle.is_leased = source == UuidNode::kIdentity;
  handle.renews = source == UuidNode::kRandom;
  handle.generator.layout = handle.is_leased ? WithNode(layout) : layout;
  // The clock sequence is new with each start of the server, as RFC 9562 has it where no stable
  // storage keeps it.
  const std::uint64_t random = TestClockIsOn() ? kTestNode : SharedRoot().uuid_node;
  GregorianNode base{kMulticast, random >> 48};
  if (source == UuidNode::kRandom) base.node |= random;
  if (source == UuidNode::kMac) base.node = HardwareAddress();
  kind.node_base = base.Bits();
}

void DefineV1(Handle&) { DefineGregorian(uuidv1); }
void DefineV6(Handle&) { DefineGregorian(uuidv6); }

}  // namespace

constinit Kind uuidv1 = {"uuidv1", DefineV1, {}, 0, {}};
constinit Kind uuidv6 = {"uuidv6", DefineV6, {}, 0, {}};
constinit Kind uuidv7 = {"uuidv7", DefineFine, {}, 0, {}};
constinit Kind uuidv8 = {"uuidv8", DefineWithNode, {}, 0, {}};
constinit Kind ulid = {"ulid", DefineFine, {}, 0, {}};
constinit Kind id128 = {"id128", DefineWithNode, {}, 0, {}};

}  // namespace idgen::pg
