// Every interleaving of two and three threads in the core's own code (position.h, guard.h,
// cursor.h, lease.h, ticket.h, generator.cpp), with a clock that runs, stands still or steps at
// each reading, a cycle counter that says fresh or not, and swaps that fail for no reason. runner.h
// says how to run it.
#include <fleet.h>
#include "library.h"
#include "runner.h"
#include "scenarios.h"
#include "tickets.h"

#include <string>
#include <vector>

namespace idgen::model {
namespace {

class Scenarios : public ScenarioList {
 public:
  Scenarios() {
    using enum ClockRegression;
    using enum Generating::Verb;
    const Clock still{};
    const Clock runs_once{kRuns, 1};
    const Clock steps_once{kSteps, 1};
    const Clock steps_twice{kSteps, 2};
    const Clock steps_far{kStepsFar, 2};

    Add<TakesUpTo>("take: 2 threads", kTwoBits, Calls{2, 2}, steps_far).spurious_failures = 1;
    Add<TakesUpTo>("take: 3 threads", kTwoBits, Calls{1, 1, 1}, steps_far).spurious_failures = 1;
    Add<TakesUpTo>("take: 3 threads, more", kOneBit, Calls{2, 2, 1}, steps_once);

    Add<Raises>("raise: 2 threads", kTwoBits, Calls{2, 2}, steps_twice).spurious_failures = 2;
    Add<Raises>("raise: 3 threads", kTwoBits, Calls{2, 1, 1}, steps_once).spurious_failures = 1;

    const auto in_mode = [](const char* name, ClockRegression mode) {
      const char* const text = mode == kWait ? "wait" : mode == kLead ? "lead" : "error";
      return std::string(name) + ", mode " + text;
    };
    for (const ClockRegression mode : {kWait, kLead, kError}) {
      auto& two = Add<Guarded>(in_mode("guard: 2 threads", mode), kTwoBits, Calls{2, 1}, steps_far,
                               mode, true);
      two.mark_ahead = 2;
      Add<Guarded>(in_mode("guard: 3 threads", mode), kTwoBits, Calls{2, 1, 1}, steps_once, mode,
                   true);
      auto& three = Add<Guarded>(in_mode("guard: 3 threads, mark", mode), kTwoBits, Calls{1, 1, 1},
                                 still, mode, true);
      three.mark_ahead = 1;
    }
    Add<Guarded>("guard: 2 threads, a clock that runs", kOneBit, Calls{2, 2}, runs_once, kError,
                 true);

    using Verbs = std::vector<std::vector<Generating::Verb>>;
    Add<Generating>("generator: 2 threads", kOneBit, Verbs{{kNext, kNext}, {kNext, kReserve}},
                    steps_once);
    Add<Generating>("generator: 2 threads, batch", kTwoBits, Verbs{{kBatch}, {kNext, kReserve}},
                    steps_once);
    Add<Generating>("generator: 2 threads, one observes", kTwoBits,
                    Verbs{{kObserve, kNext}, {kNext, kNext}}, steps_once);
    Add<Generating>("generator: 3 threads", kTwoBits, Verbs{{kObserve}, {kNext}, {kNext}}, still);

    Add<GeneratingBySession>("session: 2 threads", kAdding, Calls{2, 2}, steps_once, 1);
    auto& ending = Add<GeneratingBySession>("session: 2 threads at the end of a tick", kAdding,
                                            Calls{2, 2}, runs_once, 1);
    ending.ids_left = 1;
    auto& beside = Add<GeneratingBySession>("session: 2 threads, one of the generator", kAdding,
                                            Calls{1, 2}, runs_once, 1);
    beside.first_has_none = true;
    beside.ids_left = 1;
    auto& ending3 =
        Add<GeneratingBySession>("session: 3 threads", kAdding, Calls{1, 1, 1}, still, 1);
    ending3.ids_left = 1;
    auto& marked_session =
        Add<GeneratingBySession>("session: 2 threads, mark", kAdding, Calls{2, 1}, runs_once, 1);
    marked_session.is_marked = true;
    auto& blocks =
        Add<GeneratingBySession>("session: 2 threads, blocks", kAdding, Calls{2, 1}, runs_once, 2);
    blocks.ids_left = 3;

    Add<Sessions>("cursor: 2 threads, mode lead", kAdding, Calls{2, 1}, still, kLead, 1);
    for (const ClockRegression mode : {kWait, kError}) {
      Add<Sessions>(in_mode("cursor: 2 threads", mode), kAdding, Calls{3, 2}, steps_once, mode, 1);
      auto& marked = Add<Sessions>(in_mode("cursor: 2 threads, mark", mode), kAdding, Calls{2, 1},
                                   steps_once, mode, 1);
      marked.ids_left = 4;
      marked.mark_ahead = 2;
    }
    Add<Sessions>("cursor: 2 threads, swaps only", kTwoBits, Calls{2, 2}, steps_once, kWait, 1);
    Add<Sessions>("cursor: 3 threads", kAdding, Calls{2, 1, 1}, still, kWait, 1);
    Add<Sessions>("cursor: 2 threads, blocks", kTwoBits, Calls{3, 3}, steps_once, kWait, 2)
        .has_counter = false;
    Add<Sessions>("cursor: 2 threads, blocks, there and back", kTwoBits, Calls{2, 1}, steps_twice,
                  kWait, 2)
        .has_counter = false;
    Add<Sessions>("cursor: 2 threads, another ID space", kAdding, Calls{2, 1}, steps_once, kWait, 1)
        .reads_for_another = true;
    Add<Sessions>("cursor: 2 threads, another ID space, blocks", kTwoBits, Calls{2, 1}, steps_twice,
                  kWait, 2)
        .reads_for_another = true;
    auto& observed = Add<Sessions>("cursor: 2 threads, one observes", kAdding, Calls{2, 3},
                                   steps_once, kWait, 1);
    observed.observes = observed.may_be_ahead = true;
    auto& observed3 =
        Add<Sessions>("cursor: 3 threads, one observes", kAdding, Calls{1, 2, 2}, still, kWait, 1);
    observed3.observes = observed3.may_be_ahead = true;
    observed3.falls_back = false;
    auto& overshoot = Add<Sessions>("cursor: 3 threads at the end of a tick", kAdding,
                                    Calls{2, 2, 1}, still, kError, 1);
    overshoot.ids_left = 3;
    AddFleets();
    AddTickets();
  }

 private:
  // The first server has the identity and has used it; what the others do, they do from nothing.
  void AddFleets() {
    using enum Part::Does;
    using Parts = std::vector<Part>;
    const Part worker{0, {kWork}};
    const Part session{0, {kTake, kTake}};

    Add<Fleet>("lease: in brief", kOneBit, Parts{{0, {kTake}}, {1, {kWork}}});
    auto& two =
        Add<Fleet>("lease: 2 servers", kOneBit, Parts{worker, session, {1, {kWork, kTake}}});
    two.clocks_ms = {0, 2};
    two.moves = {1, 0};
    auto& behind = Add<Fleet>("lease: 2 servers, one clock behind", kOneBit,
                              Parts{worker, session, {1, {kWork, kTake, kWork, kTake}}});
    behind.clocks_ms = {0, -4};
    auto& three = Add<Fleet>("lease: 3 servers", kOneBit,
                             Parts{{0, {kTake}}, {1, {kWork, kTake, kTake}}, {2, {kWork, kTake}}});
    three.clocks_ms = {0, 3, 6};
    auto& back = Add<Fleet>("lease: 2 servers, there and back", kOneBit,
                            Parts{{0, {kWork, kWork, kTake}}, session, {1, {kWork, kTake}}});
    back.clocks_ms = {0, 2};
    auto& other = Add<Fleet>("lease: 2 servers, another identity", kOneBit,
                             Parts{{0, {kWork, kWork, kTakeOther, kTake}}, {1, {kWork, kTake}}});
    other.moves = {1, 0};
    other.clocks_ms = {0, 2};
    other.asks_other = {true};
    // Who has positions, and leaves; and who comes while the identity is given back.
    auto& leaving = Add<Fleet>("lease: 2 servers, given back", kOneBit,
                               Parts{{0, {kGiveBack}}, {0, {kTake, kLeave}}, {1, {kWork, kTake}}});
    leaving.is_marked = true;
    auto& coming = Add<Fleet>("lease: 2 servers, given back, one comes", kOneBit,
                              Parts{{0, {kGiveBack}}, {0, {kTake, kTake}}, {1, {kWork, kTake}}});
    coming.is_marked = true;
    coming.begins_in_use = false;
    auto& forgets = Add<Fleet>("lease: 2 servers, forgetful", kOneBit,
                               Parts{worker, session, {1, {kWork, kTake}}});
    forgets.clocks_ms = {0, 2};
    forgets.moves = {1, 0};
    forgets.forgets = true;
    auto& asks = Add<Fleet>("lease: 2 servers, forgetful, another identity", kOneBit,
                            Parts{worker, {0, {kTakeOther}}, {1, {kWork, kTakeOther}}});
    asks.asks_other = {true, true};
    asks.forgets = true;
    auto& failing = Add<Fleet>("lease: 2 servers, lost answers", kOneBit,
                               Parts{worker, session, {1, {kWork, kWork, kTake}}});
    failing.clocks_ms = {0, 2};
    failing.failures = 1;
    auto& cursors = Add<Fleet>("lease: 2 servers, cursors", kAdding,
                               Parts{worker, session, {1, {kWork, kTake}}});
    cursors.clocks_ms = {0, 2};
    cursors.moves = {1, 0};
    cursors.uses_cursors = true;
  }

  void AddTickets() {
    using enum Ticketing::Does;
    using Script = std::vector<Ticketing::Does>;
    Add<Ticketing>("ticket: 2 take, one lengthens", Script{kLengthen}, Calls{2, 2});
    Add<Ticketing>("ticket: 2 take, one sets", Script{kSet, kOpen, kPublishLate}, Calls{2, 1})
        .spurious_failures = 1;
    Add<Ticketing>("ticket: 2 take, one opens", Script{kOpen, kOpen, kPublishLate}, Calls{1, 1});
    Add<Ticketing>("ticket: 2 take, one gives back", Script{kGiveBack, kOpen, kLengthen},
                   Calls{2, 1});
    Add<Ticketing>("ticket: 3 take, one gives back", Script{kGiveBack, kOpen}, Calls{1, 1, 1});
    Add<Ticketing>("ticket: 1 takes, there and back", Script{kGiveBack, kOpen, kSet, kOpen},
                   Calls{3})
        .spurious_failures = 1;
  }
};

}  // namespace
}  // namespace idgen::model

int main(int argc, char** argv) {
  const idgen::model::Scenarios scenarios;
  return idgen::model::RunScenarios(scenarios.all(), {argv + 1, argv + argc});
}
