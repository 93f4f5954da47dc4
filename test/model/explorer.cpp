#include "explorer.h"

#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <memory>
#include <unordered_map>
#include <vector>

namespace idgen::model {

namespace {

// Far above what any execution needs: one that is longer does not end.
constexpr std::uint64_t kMostSteps = 5'000;
constexpr std::size_t kStackBytes = std::size_t{128} * 1024;

struct Choice {
  unsigned chosen = 0;
  unsigned options = 1;
  std::uint64_t state = 0;  // in which it is made, for the choice of a thread; else 0
  Count executions = 0;     // that begin so, with what was chosen before
};

using Trail = std::vector<Choice>;

// States from which all ways were taken, and how many executions those are.
using Known = std::unordered_map<std::uint64_t, Count>;

// A stack of its own, or (the last) that of the program.
struct Fiber {
  ucontext_t context{};
  jmp_buf place{};  // where it goes on, once it has begun
  bool has_begun = false;
  std::unique_ptr<char[]> stack;
  bool is_done = true;
  std::uint64_t history = 0;  // of what the thread has noted
};

class Executor {
 public:
  explicit Executor(Scenario& scenario) : scenario_(scenario) {
    for (int thread = 0; thread < scenario.threads(); ++thread) {
      Prepare(fibers_[Index(thread)]);
    }
  }

  // One run. How many executions it stands for: 0 when it failed.
  Count Execute(Trail& trail, const Known& known, bool is_told) {
    trail_ = &trail;
    known_ = &known;
    is_told_ = is_told;
    depth_ = 0;
    steps_ = 0;
    executions_ = 1;
    is_new_ = false;
    skips_step_ = false;
    for (int thread = 0; thread < scenario_.threads(); ++thread) {
      Fiber& fiber = fibers_[Index(thread)];
      // Left in the middle.
      if (!fiber.is_done) Prepare(fiber);
      fiber.is_done = false;
      fiber.history = 0;
    }
    fibers_[kProgram].history = 0;
    scenario_.Begin();
    SwitchTo(static_cast<int>(Choose(static_cast<unsigned>(scenario_.threads()))));
    if (!failure_.empty()) return 0;
    if (IsOver()) {
      if (const char* const wrong = scenario_.End()) failure_ = wrong;
    }
    return failure_.empty() ? executions_ : 0;
  }

  unsigned Choose(unsigned options, std::uint64_t state = 0) noexcept {
    if (options <= 1) return 0;
    if (depth_ == trail_->size()) trail_->push_back({0, options, state, 0});
    const Choice& choice = (*trail_)[depth_++];
    // A scenario that remembers something of the execution before.
    if (choice.options != options) Fail("the same choices have led elsewhere");
    return choice.chosen;
  }

  void Step(bool skips_next) noexcept {
    if (current_ == kProgram) return;
    if (++steps_ > kMostSteps) Fail("the execution does not end");
    if (!is_new_ && (skips_next || !skips_step_)) GoOn();
    is_new_ = false;
    skips_step_ = skips_next;
  }

  [[noreturn]] void Fail(const char* what) noexcept {
    if (failure_.empty()) failure_ = what;
    if (current_ == kProgram) std::abort();
    SwitchTo(kProgram);
    std::abort();
  }

  void Note(const char* what, std::uint64_t value) {
    std::uint64_t& history = fibers_[Index(current_)].history;
    history = Mix(Mix(history, reinterpret_cast<std::uintptr_t>(what)), value);
    if (!is_told_) return;
    account_ += "\n    ";
    account_ += current_ == kProgram ? "end" : "thread " + std::to_string(current_ + 1);
    account_ += ": ";
    account_ += what;
    account_ += ' ';
    account_ += std::to_string(value);
  }

  void Forget(std::uint64_t known) { fibers_[Index(current_)].history = known; }

  [[nodiscard]] int current() const { return current_; }
  [[nodiscard]] std::string Account() const { return failure_ + account_; }

 private:
  static constexpr int kProgram = kMostThreads;

  static std::size_t Index(int thread) { return static_cast<std::size_t>(thread); }

  static void Prepare(Fiber& fiber) {
    if (!fiber.stack) fiber.stack = std::make_unique<char[]>(kStackBytes);
    if (getcontext(&fiber.context) != 0) std::abort();
    fiber.context.uc_stack.ss_sp = fiber.stack.get();
    fiber.context.uc_stack.ss_size = kStackBytes;
    fiber.context.uc_link = nullptr;
    makecontext(&fiber.context, &Executor::RunFiber, 0);
    fiber.has_begun = false;
  }

  // To one of the threads that are not done, the current one before the others.
  void GoOn() noexcept {
    std::array<int, kMostThreads> ready{};
    unsigned count = 0;
    if (!fibers_[Index(current_)].is_done) ready[count++] = current_;
    for (int thread = 0; thread < scenario_.threads(); ++thread) {
      if (thread != current_ && !fibers_[Index(thread)].is_done) ready[count++] = thread;
    }
    if (count == 0) return SwitchTo(kProgram);
    if (count == 1) return SwitchTo(ready[0]);
    const std::uint64_t state = depth_ == trail_->size() ? State() : 0;
    if (const auto same = known_->find(state); state != 0 && same != known_->end()) {
      executions_ = same->second;
      return SwitchTo(kProgram);
    }
    SwitchTo(ready[Choose(count, state)]);
  }

  // All that the rest of an execution depends on.
  [[nodiscard]] std::uint64_t State() const {
    std::uint64_t state = Mix(1, scenario_.State());
    for (const Fiber& fiber : fibers_) state = Mix(Mix(state, fiber.history), fiber.is_done);
    return state;
  }

  [[nodiscard]] bool IsOver() const {
    return std::all_of(fibers_.begin(), fibers_.end(),
                       [](const Fiber& fiber) { return fiber.is_done; });
  }

  void SwitchTo(int thread) noexcept {
    if (thread == current_) return;
    Fiber& from = fibers_[Index(current_)];
    Fiber& to = fibers_[Index(thread)];
    current_ = thread;
    Leave(from, to);
  }

  // To the other stack, and back some time. swapcontext() asks the system for the signal mask each
  // time, which takes longer than all else here; so a context only begins a stack.
  static void Leave(Fiber& from, Fiber& to) noexcept {
    from.has_begun = true;
    if (_setjmp(from.place) != 0) return;
    if (to.has_begun) _longjmp(to.place, 1);
    setcontext(&to.context);
    std::abort();
  }

  static void RunFiber();
  void RunForever() noexcept {
    for (;;) {
      is_new_ = true;  // to be begun was to be chosen
      scenario_.Run(current_);
      fibers_[Index(current_)].is_done = true;
      GoOn();
    }
  }

  Scenario& scenario_;
  std::array<Fiber, kMostThreads + 1> fibers_;
  int current_ = kProgram;
  Trail* trail_ = nullptr;
  const Known* known_ = nullptr;
  Count executions_ = 0;
  std::size_t depth_ = 0;
  std::uint64_t steps_ = 0;
  bool is_new_ = false;      // the thread has come to no scheduling point yet
  bool skips_step_ = false;  // StepWithNext
  bool is_told_ = false;
  std::string failure_;
  std::string account_;
};

Executor* executor = nullptr;

void Executor::RunFiber() { executor->RunForever(); }

}  // namespace

Explored Explore(Scenario& scenario, Merging merging) {
  Explored explored;
  Trail trail;
  Known known;
  auto executing = std::make_unique<Executor>(scenario);
  executor = executing.get();
  for (bool is_over = false; !is_over;) {
    ++explored.runs;
    Count executions = executing->Execute(trail, known, false);
    if (executions == 0) {
      // Once more, on other stacks and told.
      executing = std::make_unique<Executor>(scenario);
      executor = executing.get();
      executing->Execute(trail, known, true);
      explored.failure = executing->Account();
      break;
    }
    // To the next way through the choices.
    for (; !trail.empty(); trail.pop_back()) {
      Choice& last = trail.back();
      last.executions += executions;
      if (++last.chosen < last.options) break;
      executions = last.executions;
      if (last.state != 0 && merging == Merging::kYes) known[last.state] = executions;
    }
    is_over = trail.empty();
    explored.executions = executions;
  }
  executor = nullptr;
  return explored;
}

void Step() noexcept { executor->Step(false); }
void StepWithNext() noexcept { executor->Step(true); }
unsigned Choose(unsigned options) noexcept { return executor->Choose(options); }
int Thread() noexcept { return executor->current(); }
void Fail(const char* what) noexcept { executor->Fail(what); }
void Forget(std::uint64_t known) noexcept { executor->Forget(known); }
void Note(const char* what, std::uint64_t value) noexcept { executor->Note(what, value); }

}  // namespace idgen::model
