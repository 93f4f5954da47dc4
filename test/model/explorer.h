// Every interleaving of a few threads, one after the other, on one thread of the machine.
//
// What the threads do is a Scenario. It runs again and again from its beginning. At each
// scheduling point (Step) any of its threads may go on, and what else is open (the clock's
// reading, say) is chosen (Choose). Between two scheduling points a thread runs alone. Each
// run takes one way through these choices, in the order of a depth-first search; where it
// comes to a state from which all ways were taken before, it ends. Then those ways count
// again: every execution there is was taken, or is the same from there on as one that was.
#pragma once

#include <cstdint>
#include <string>

namespace idgen::model {

inline constexpr int kMostThreads = 4;

class Scenario {
 public:
  Scenario() = default;
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;
  virtual ~Scenario() = default;

  [[nodiscard]] virtual int threads() const = 0;
  // Before each execution: everything is as it was before the first.
  virtual void Begin() = 0;
  // What a thread does. After a failure it does not come back from where it stands: no
  // object with a destructor that matters.
  virtual void Run(int thread) = 0;
  // What the threads share, put in one number (Mix). What a thread knows by itself follows from
  // what it has noted.
  [[nodiscard]] virtual std::uint64_t State() const = 0;
  // After each execution: what is wrong with its outcome, or nullptr.
  virtual const char* End() = 0;
};

// Servers that hardly meet have more executions than 64 bits can count.
__extension__ typedef unsigned __int128 Count;

struct Explored {
  Count executions = 0;    // that there are
  std::uint64_t runs = 0;  // that it took to take them all
  // Of the first run that failed, which is the last: what was wrong, and how it went.
  // Empty: none failed.
  std::string failure;
};

// Whether a run ends where it comes to a state that is known.
enum class Merging : std::uint8_t { kNo, kYes };

Explored Explore(Scenario& scenario, Merging merging = Merging::kYes);

// --- To be called within an execution ------------------------------------------------

// A scheduling point before something that other threads see.
void Step() noexcept;

// The same, and the thread's next Step is none: nothing that others see lies between the two.
void StepWithNext() noexcept;

// A number below `options`.
unsigned Choose(unsigned options) noexcept;

// The thread that runs, from 0; kMostThreads in Scenario::Begin, where nothing is a scheduling
// point.
int Thread() noexcept;

// The execution is wrong, and ends here.
[[noreturn]] void Fail(const char* what) noexcept;

// What a thread sees or does: all that may depend on other threads or on a choice. Also a
// line of a failure's account.
void Note(const char* what, std::uint64_t value) noexcept;

// What the thread has noted until now does not matter any more: all that it still knows by itself
// is in this number. So more executions are found to be the same from here on.
void Forget(std::uint64_t known) noexcept;

// --- For Scenario::State -------------------------------------------------------------

// One number of two, as good as never the same for others.
constexpr std::uint64_t Mix(std::uint64_t so_far, std::uint64_t value) noexcept {
  // Of splitmix64.
  std::uint64_t mixed = so_far * 0x9e3779b97f4a7c15 + value + 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

}  // namespace idgen::model
