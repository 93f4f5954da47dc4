// Verifies what the sessions of one round recorded, on all servers that successively formed one
// history (a primary, a promoted standby, a restored backup):
//
//   - no ID occurs twice in an ID space
//   - order in real time: an ID is smaller if its call returned before the other's call began
//   - with blocks: order in real time by the tick, and the IDs of one session increase
//   - the IDs of one call increase; those of a reservation are of one tick
//   - no timestamp is ahead of the server's clock by more than the mode allows, and none is of a
//     tick that was over before the call
//   - no ID is negative, beyond its layout, or of an identity that was not set
//   - every error belongs to what was done
//   - the clock was what the orchestrator said, where a call read it
//   - of a generator whose layout changes: each ID is of the layout of its time (changes.h)
//
// usage: checker dir=DIRECTORY errors=STATE,... fixed=MACHINE,... ending_epoch_us=TIME
//          identities=DATACENTER:MACHINE[:FROM_NS[:UNTIL_NS]],... counter=right|lies
//          order=all|server|none changes=database|fleet sample=NUMBER
//
// order=server: the servers run at once (a fleet). Then IDs are in order on each of them. none: not
// even there.
//
// changes: in each database the layout changes by itself, or in all of a fleet at once. sample: so
// many IDs and more are written to the file "decoded", with what they say: generator, ID, time in
// microseconds, datacenter (-1: none), machine, sequence.
//
// If the cycle counter lies, a session may use a clock reading for too long. IDs are then of the
// time that was read, whatever the clock did since, and a block may be used beyond its tick.
// Everything else holds.
#include <inttypes.h>
#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "changes.h"
#include "clock.h"
#include "history.h"
#include "layouts.h"

namespace {

// A session may use a clock reading that is 8 us old. This allows for more.
constexpr std::int64_t kReadingNs = 100 * kNsPerUs;
constexpr int kShown = 12;  // violations of each kind that are printed
bool counter_lies = false;

std::map<std::string, std::string> options;

std::vector<std::string> Words(const std::string& text) {
  std::istringstream words(text);
  std::vector<std::string> list;
  for (std::string word; std::getline(words, word, ',');) list.push_back(word);
  return list;
}

// --- violations ---------------------------------------------------------------------------

std::map<std::string, std::int64_t> violations;

__attribute__((format(printf, 2, 3))) void Violation(const char* kind, const char* format, ...) {
  if (++violations[kind] > kShown) return;
  va_list arguments;
  va_start(arguments, format);
  printf("violation %s: ", kind);
  vprintf(format, arguments);
  printf("\n");
  va_end(arguments);
}

// --- the history ----------------------------------------------------------------------------

struct Record {
  Call call;
  std::size_t first;  // of its IDs in `ids`
};

std::vector<Record> records;
std::vector<std::int64_t> ids;

std::string Describe(const Call& call) {
  std::ostringstream text;
  text << "session " << call.session << " on server " << int{call.server} << ", "
       << layouts[static_cast<std::size_t>(call.layout)].name << ", mode "
       << std::array{"wait", "lead", "error"}[static_cast<std::size_t>(call.mode)]
       << (call.blocks ? ", blocks" : "") << (call.kind == Kind::kReserve ? ", reserve" : "")
       << (call.kind == Kind::kAnyOrder ? ", parallel" : "") << ", call " << call.invoked_ns
       << " to " << call.completed_ns;
  return text.str();
}

void ReadHistory(const std::filesystem::path& path) {
  FILE* file = fopen(path.c_str(), "rb");
  if (file == nullptr) {
    perror(path.c_str());
    exit(2);
  }
  Call call{};
  while (fread(&call, sizeof(call), 1, file) == 1) {
    records.push_back({call, ids.size()});
    ids.resize(ids.size() + call.count);
    if (fread(&ids[records.back().first], sizeof(ids[0]), call.count, file) != call.count) {
      fprintf(stderr, "%s is cut off\n", path.c_str());
      exit(2);
    }
    // A round that failed says nothing about its changes.
    if (call.layout == LayoutName::kChanging && successions.empty()) {
      ids.resize(records.back().first);
      records.pop_back();
    }
  }
  fclose(file);
}

// --- the servers' clocks --------------------------------------------------------------------

// A line that was in force from some time in [mono_ns, set_ns] on.
struct Change {
  std::int64_t set_ns;
  ClockLine line;
};
std::map<int, std::vector<Change>> clocks;  // of the servers

struct Range {
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  std::int64_t most = std::numeric_limits<std::int64_t>::min();
};

void ReadClocks(const std::string& path) {
  std::ifstream file(path);
  int server = 0;
  Change change{};
  while (file >> server >> change.line.mono_ns >> change.set_ns >> change.line.wall_ns >>
         change.line.rate) {
    clocks[server].push_back(change);
  }
}

std::int64_t ClockAt(const ClockLine& line, std::int64_t mono_ns) {
  const std::int64_t elapsed = std::max<std::int64_t>(mono_ns - line.mono_ns, 0);
  return line.wall_ns + elapsed +
         static_cast<std::int64_t>(static_cast<double>(elapsed) * line.rate);
}

// Returns what the server's clock may have shown between two times.
Range ClockBetween(int server, std::int64_t from_ns, std::int64_t to_ns) {
  Range range;
  const std::vector<Change>& changes = clocks[server];
  // Start with the last change that was certainly in force at the beginning.
  auto change = std::upper_bound(
      changes.begin(), changes.end(), from_ns,
      [](std::int64_t time, const Change& candidate) { return time < candidate.set_ns; });
  if (change != changes.begin()) --change;
  for (; change != changes.end() && change->line.mono_ns <= to_ns; ++change) {
    const auto next = change + 1;
    const std::int64_t until = next == changes.end() ? to_ns : std::min(to_ns, next->set_ns);
    for (const std::int64_t at : {std::max(from_ns, change->line.mono_ns), until}) {
      const std::int64_t shown = ClockAt(change->line, at);
      range.least = std::min(range.least, shown);
      range.most = std::max(range.most, shown);
    }
  }
  return range;
}

// --- one call ------------------------------------------------------------------------------

// An identity that was set from one time until another.
struct OwnIdentity {
  std::int64_t datacenter, machine, from_ns, until_ns;
};
std::vector<OwnIdentity> identities;
std::set<std::int64_t> fixed_machines;  // of the generator "fixed"
std::set<std::string> allowed_errors;
std::map<std::string, std::int64_t> errors;

// Whether the call's ID number `index` is of the shard that the call named, and of the datacenter
// and machine of the generator, the session or the server.
bool IsOwnIdentity(const Call& call, const Layout& layout, std::size_t index, std::int64_t id) {
  if (layout.shard.bits > 0 && call.shard >= 0) {
    const auto shard = std::int64_t{call.shard} + static_cast<std::int64_t>(index) * call.stride;
    if (layout.shard.Of(id) != shard % (std::int64_t{1} << layout.shard.bits)) return false;
  }
  if (layout.by_call) id = call.shard;
  const std::int64_t machine = layout.machine.Of(id);
  if (call.named && !fixed_machines.contains(machine)) return false;
  const auto is_right = [&](const Field& field, std::int64_t set, std::int64_t servers) {
    return field.bits == 0 || field.Of(id) == (set >= 0 ? set : servers);
  };
  return std::any_of(identities.begin(), identities.end(), [&](const OwnIdentity& identity) {
    return call.completed_ns >= identity.from_ns && call.invoked_ns <= identity.until_ns &&
           is_right(layout.datacenter, call.datacenter, identity.datacenter) &&
           (call.named || is_right(layout.machine, call.machine, identity.machine));
  });
}

void CheckError(const Call& call) {
  const std::string state = call.state;
  ++errors[state];
  const std::string where = Describe(call);
  // The ID is too far ahead to be observed.
  const bool too_far = call.asked == Kind::kObserve && state == "22023";
  const bool by_role = (call.plain && state == "42501") || (call.refused && state == "F0000");
  // In some of its layouts the sequence is not the lowest field.
  const bool not_in_row =
      call.layout == LayoutName::kChanging && call.asked == Kind::kReserve && state == "0A000";
  if (!too_far && !by_role && !not_in_row && !allowed_errors.contains(state))
    Violation("error", "%s, %s", call.state, where.c_str());
  if (state == "2200H") {
    const Layout& layout = layouts[static_cast<std::size_t>(call.layout)];
    const Range clock = ClockBetween(call.server, call.invoked_ns - kReadingNs, call.completed_ns);
    const std::int64_t ticks = std::int64_t{1} << layout.time.bits;
    if (layout.has_time && clock.most < layout.StartNs(ticks) - layout.LeadNs(call)) {
      Violation("error", "out of time before the layout's end, %s", where.c_str());
    }
  }
}

// Returns whether an ID is of the layout of its time; a violation otherwise.
bool CheckStage(const Call& call, const Range& clock, std::int64_t id) {
  const char* const flaw = FlawOfStage(
      call, id, [&](const Layout& layout) { return IsOwnIdentity(call, layout, 0, id); },
      [&](std::int64_t start_ns, std::int64_t tick_ns) {
        return start_ns <= clock.most + call.lead_us * kNsPerUs && start_ns + tick_ns > clock.least;
      });
  if (flaw == nullptr) return true;
  Violation(flaw, "%lld, %s", static_cast<long long>(id), Describe(call).c_str());
  return false;
}

// What tells the ID space of an ID from others of its layout.
std::int64_t IdentityOf(const Call& call, const Layout& layout, std::int64_t id) {
  if (call.layout == LayoutName::kChanging) {
    return std::int64_t{GeneratorOf(call)} << 32 | layout.machine.Of(id);
  }
  return layout.by_call ? call.shard : layout.IdentityBits(id);
}

void CheckCall(const Record& record) {
  const Call& call = record.call;
  if (call.kind == Kind::kError) return CheckError(call);
  const Range clock = ClockBetween(call.server, call.invoked_ns - kReadingNs, call.completed_ns);
  for (const std::int64_t us : {call.clock_before_us, call.clock_after_us}) {
    if (us == 0 || (us * kNsPerUs > clock.least - kNsPerUs && us * kNsPerUs <= clock.most))
      continue;
    Violation("clock", "it showed %lld us, expected %lld to %lld ns, %s",
              static_cast<long long>(us), static_cast<long long>(clock.least),
              static_cast<long long>(clock.most), Describe(call).c_str());
  }
  if (call.kind == Kind::kObserve) return;
  std::map<std::int64_t, std::int64_t> last;  // of each ID space
  for (std::size_t i = record.first; i < record.first + call.count; ++i) {
    const std::int64_t id = ids[i];
    const Layout& layout = LayoutOf(call, id);
    const auto shown = static_cast<long long>(id);
    const std::int64_t tick = layout.Tick(id);
    if (id <= 0 || tick >> layout.time.bits != 0) {
      Violation("value", "%lld, %s", shown, Describe(call).c_str());
      continue;
    }
    if (call.layout == LayoutName::kChanging) {
      if (!CheckStage(call, clock, id)) continue;
    } else if (!IsOwnIdentity(call, layout, i - record.first, id)) {
      Violation("identity", "%lld, %s", shown, Describe(call).c_str());
    }
    const std::int64_t start_ns = layout.StartNs(tick);
    const bool has_time = layout.has_time && !counter_lies;
    const bool is_ordered = options["order"] != "none";
    if (has_time && start_ns > clock.most + layout.LeadNs(call)) {
      Violation("ahead", "%lld is %.3f ms ahead of the clock, %s", shown,
                static_cast<double>(start_ns - clock.most) / 1e6, Describe(call).c_str());
    }
    if (has_time && start_ns + layout.tick_us * kNsPerUs <= clock.least) {
      Violation("late", "%lld is %.3f ms older than the call, %s", shown,
                static_cast<double>(clock.least - start_ns - layout.tick_us * kNsPerUs) / 1e6,
                Describe(call).c_str());
    }
    if (call.kind == Kind::kReserve && layout.has_time &&
        start_ns != StartNsOf(call, ids[record.first])) {
      Violation("reserve", "%lld is not of the tick of the first, %s", shown,
                Describe(call).c_str());
    }
    const auto [place, is_new] = last.try_emplace(IdentityOf(call, layout, id), id);
    if (!is_new && call.kind == Kind::kIds && id <= place->second && is_ordered) {
      Violation("order", "%lld after %lld in one call, %s", shown,
                static_cast<long long>(place->second), Describe(call).c_str());
    }
    place->second = id;
  }
}

std::int64_t handed_out = 0;

// --- one ID space ---------------------------------------------------------------------------

// What a call got in the ID space.
struct Span {
  const Record* record;
  std::int64_t least;
  std::int64_t most;
};

struct IdSpaceHistory {
  std::vector<Span> spans;
  std::vector<std::int64_t> ids;
};
std::map<std::pair<int, std::int64_t>, IdSpaceHistory> spaces;  // by layout and identity
// Of generators whose layout changes: all IDs of one, whoever made them; and all of one of its
// layouts, where each database has its own succession and the server one position.
std::map<int, IdSpaceHistory> generators;
constexpr int kFirstChanging = 100;  // its layouts, as numbers beside LayoutName's

void AddToSpace(IdSpaceHistory& space, const Record& record, std::int64_t id) {
  if (record.call.kind != Kind::kObserve) space.ids.push_back(id);
  if (!space.spans.empty() && space.spans.back().record == &record) {
    Span& span = space.spans.back();
    span.least = std::min(span.least, id);
    span.most = std::max(span.most, id);
  } else {
    space.spans.push_back({&record, id, id});
  }
}

void AddToIdSpaces(const Record& record) {
  const Call& call = record.call;
  if (call.kind == Kind::kError) return;
  IdSpaceHistory* space = nullptr;
  std::int64_t identity = -1;
  for (std::size_t i = record.first; i < record.first + call.count; ++i) {
    const std::int64_t id = ids[i];
    const Layout& layout = LayoutOf(call, id);
    if (space == nullptr || IdentityOf(call, layout, id) != identity) {
      identity = IdentityOf(call, layout, id);
      space = &spaces[{static_cast<int>(call.layout), identity}];
    }
    AddToSpace(*space, record, id);
    if (call.kind != Kind::kObserve) ++handed_out;
    if (call.layout != LayoutName::kChanging) continue;
    AddToSpace(generators[GeneratorOf(call)], record, id);
    if (each_database_changes) {
      const std::vector<Stage>& stages = successions.at(GeneratorOf(call));
      AddToSpace(
          spaces[{kFirstChanging + stages[StageOfId(stages, id)].layout, layout.IdentityBits(id)}],
          record, id);
    }
  }
}

void ReportDuplicate(std::int64_t id, const IdSpaceHistory& space) {
  std::string where;
  for (const Span& span : space.spans) {
    if (span.record->call.kind == Kind::kObserve) continue;
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(span.record->first);
    for (auto at = std::find(begin, begin + span.record->call.count, id);
         at != begin + span.record->call.count;
         at = std::find(at + 1, begin + span.record->call.count, id)) {
      where += "\n  " + Describe(span.record->call);
    }
  }
  Violation("duplicate", "%lld%s", static_cast<long long>(id), where.c_str());
}

void ReportOrder(const Span& span, const Span& earlier) {
  Violation("order", "%lld (%.3f ms back) after %lld\n  %s\n  %s",
            static_cast<long long>(span.least),
            static_cast<double>(StartNsOf(earlier.record->call, earlier.most) -
                                StartNsOf(span.record->call, span.least)) /
                1e6,
            static_cast<long long>(earlier.most), Describe(span.record->call).c_str(),
            Describe(earlier.record->call).c_str());
}

void CheckUnique(IdSpaceHistory& space) {
  std::sort(space.ids.begin(), space.ids.end());
  for (std::size_t i = 1; i < space.ids.size(); ++i) {
    if (space.ids[i] != space.ids[i - 1]) continue;
    if (violations["duplicate"] < kShown)
      ReportDuplicate(space.ids[i], space);
    else
      ++violations["duplicate"];
  }
}

void CheckOrder(std::vector<Span>& spans) {
  // Goes through the calls in the order in which they began, with the largest ID of all calls that
  // were over by then.
  auto by_end = spans;
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) {
    return a.record->call.invoked_ns < b.record->call.invoked_ns;
  });
  std::sort(by_end.begin(), by_end.end(), [](const Span& a, const Span& b) {
    return a.record->call.completed_ns < b.record->call.completed_ns;
  });
  const Span* largest = nullptr;
  // Of each session's own IDs; two names of one ID space have a block each.
  std::map<std::pair<std::uint32_t, bool>, const Span*> largest_of;
  auto over = by_end.begin();
  for (const Span& span : spans) {
    for (; over->record->call.completed_ns < span.record->call.invoked_ns; ++over) {
      if (largest == nullptr || over->most > largest->most) largest = &*over;
    }
    const Call& call = span.record->call;
    const Span*& own = largest_of[{call.session, call.named}];
    if (call.kind != Kind::kObserve) {
      // IDs that others made or observed may be ahead of a block that the session held by then, but
      // by a tick at most. A session's own IDs increase.
      const auto is_after = [&](const Span& earlier) {
        if (call.blocks && counter_lies) return true;
        if (!call.blocks) return span.least > earlier.most;
        const std::int64_t tick_ns = LayoutOf(call, span.least).tick_us * kNsPerUs;
        return StartNsOf(call, span.least) + tick_ns >=
               StartNsOf(earlier.record->call, earlier.most);
      };
      if (largest != nullptr && !is_after(*largest)) {
        ReportOrder(span, *largest);
      } else if (own != nullptr && span.least <= own->most) {
        ReportOrder(span, *own);
      }
    }
    // Parallel workers have blocks of their own besides the one that the session holds.
    if (call.kind == Kind::kAnyOrder && call.blocks) continue;
    if (own == nullptr || span.most > own->most) own = &span;
  }
}

// Writes down what IDs of the changing generator say: some of all, and those near an instant.
void WriteSample(std::int64_t number) {
  std::ofstream file(options["dir"] + "/decoded");
  for (const auto& [generator, space] : generators) {
    const std::vector<Stage>& stages = successions.at(generator);
    const auto step = static_cast<std::size_t>(
        std::max<std::int64_t>(static_cast<std::int64_t>(space.ids.size()) / number, 1));
    std::size_t last_place = 0;
    for (std::size_t i = 0; i < space.ids.size(); ++i) {
      const std::int64_t id = space.ids[i];
      const std::size_t place = StageOfId(stages, id);
      const bool is_near = place != last_place || (i + 1 < space.ids.size() &&
                                                   StageOfId(stages, space.ids[i + 1]) != place);
      last_place = place;
      if (i % step != 0 && !is_near) continue;
      const ChangingLayout& of = *stages[place].of;
      const Layout& layout = of.layout;
      file << generator << ' ' << id << ' ' << layout.StartNs(layout.Tick(id)) / kNsPerUs << ' '
           << (layout.datacenter.bits > 0 ? layout.datacenter.Of(id) : -1) << ' '
           << layout.machine.Of(id) << ' ' << of.sequence.Of(id) << '\n';
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    options[argument.substr(0, argument.find('='))] = argument.substr(argument.find('=') + 1);
  }
  if (options["dir"].empty()) {
    fprintf(stderr, "usage: checker dir=DIRECTORY [option=value ...]\n");
    return 2;
  }
  for (const auto& word : Words(options["identities"])) {
    OwnIdentity identity{0, 0, 0, std::numeric_limits<std::int64_t>::max()};
    sscanf(word.c_str(), "%" SCNd64 ":%" SCNd64 ":%" SCNd64 ":%" SCNd64, &identity.datacenter,
           &identity.machine, &identity.from_ns, &identity.until_ns);
    identities.push_back(identity);
  }
  for (const auto& machine : Words(options["fixed"])) fixed_machines.insert(atoi(machine.c_str()));
  for (const auto& state : Words(options["errors"])) allowed_errors.insert(state);
  layouts[static_cast<std::size_t>(LayoutName::kEnding)].epoch_us =
      atoll(options["ending_epoch_us"].c_str());
  counter_lies = options["counter"] == "lies";

  each_database_changes = options["changes"] == "database";
  ReadChanges(options["dir"] + "/changes");
  ReadClocks(options["dir"] + "/clocks");
  for (const auto& entry : std::filesystem::directory_iterator(options["dir"])) {
    if (entry.path().filename().string().starts_with("history.")) ReadHistory(entry.path());
  }
  for (const Record& record : records) {
    CheckCall(record);
    AddToIdSpaces(record);
  }
  for (auto& [name, space] : spaces) {
    CheckUnique(space);
    if (options["order"] == "none") continue;
    std::map<int, std::vector<Span>> histories;  // by server, where each has one of its own
    for (const Span& span : space.spans) {
      histories[options["order"] == "server" ? span.record->call.server : 0].push_back(span);
    }
    for (auto& [server, spans] : histories) {
      CheckOrder(spans);
    }
  }

  for (auto& [generator, space] : generators) CheckUnique(space);
  if (!options["sample"].empty()) WriteSample(atoll(options["sample"].c_str()));

  std::int64_t found = 0;
  printf("ids %lld\ncalls %zu\nspaces %zu\n", static_cast<long long>(handed_out), records.size(),
         spaces.size());
  for (const auto& [state, times] : errors) {
    printf("errors %s %lld\n", state.c_str(), static_cast<long long>(times));
  }
  for (const auto& [kind, times] : violations) {
    if (times > 0) printf("violations %s %lld\n", kind.c_str(), static_cast<long long>(times));
    found += times;
  }
  return found > 0 ? 1 : 0;
}
