#include "servers.h"

#include <algorithm>
#include <deque>
#include <queue>
#include <utility>

namespace idgen::scale {

void Delays::Add(Ps delay) {
  const Ps at_least_0 = std::max<Ps>(0, delay);
  const auto at = static_cast<std::size_t>(at_least_0 / kStep);
  if (at >= counts_.size()) counts_.resize(at + 1);
  ++counts_[at];
  ++count_;
  most_ = std::max(most_, at_least_0);
  sum_us_ += static_cast<double>(at_least_0) / kPsInUs;
}

double Delays::MeanUs() const { return count_ > 0 ? sum_us_ / static_cast<double>(count_) : 0; }

double Delays::QuantileUs(double part) const {
  std::uint64_t below = 0;
  for (std::size_t at = 0; at < counts_.size(); ++at) {
    below += counts_[at];
    if (static_cast<double>(below) >= part * static_cast<double>(count_)) {
      return static_cast<double>(at) * static_cast<double>(kStep) / kPsInUs;
    }
  }
  return 0;
}

namespace {

struct Request {
  Ps arrived = 0;
  unsigned left = 0;  // IDs
};

struct Session {
  Allowance allowance;
  Cursor cursor;
  std::deque<Request> requests;
  Ps free_at = 0;
  // Until when it waited last: all requests that came before that waited.
  Ps waited_for_tick = -1;
  Ps waited_for_clock = -1;
};

class Server {
 public:
  Server(const Load& load, const Identity& identity, const ServerClock& clock, Ps warm, Ps end,
         std::uint64_t seed, Seen& seen, ServersOutcome& outcome)
      : load_(load),
        layout_(*load.layout),
        clock_(clock),
        warm_(warm),
        random_(seed),
        seen_(seen),
        outcome_(outcome),
        composer_(layout_.ComposerFor(layout_.IdentityBits(identity))),
        sessions_(load.sessions),
        first_whole_(layout_.TickAt(clock.At(warm)) + 1),
        end_whole_(layout_.TickAt(clock.At(end))) {
    outcome_.whole_ticks +=
        static_cast<std::uint64_t>(std::max<std::int64_t>(0, end_whole_ - first_whole_));
    for (Session& session : sessions_) {
      session.allowance = Allowance(layout_, load.block_size, kCountsPerUs);
      session.allowance.Open(layout_.MaxPosition() + 1);
    }
  }

  void Run(Ps end, std::vector<std::uint64_t>* asked, std::vector<std::uint64_t>* left) {
    const double between_ns = 1e9 * load_.ids_in_request / load_.ids_per_s;
    Ps arrival = FromNs(random_.Exponential(between_ns));
    for (;;) {
      const Ps now = events_.empty() ? arrival : std::min(arrival, events_.top().first);
      if (left != nullptr) NoteTicks(std::min(now, end), *asked, *left);
      if (now >= end) return;
      if (now == arrival) {
        Arrive(now);
        arrival += FromNs(random_.Exponential(between_ns));
      } else {
        const std::size_t at = events_.top().second;
        events_.pop();
        Serve(at, now);
      }
    }
  }

 private:
  // The ticks that ended until now.
  void NoteTicks(Ps now, std::vector<std::uint64_t>& asked, std::vector<std::uint64_t>& left) {
    const std::int64_t tick = layout_.TickAt(clock_.At(now));
    if (!tick_known_) tick_ = tick;
    tick_known_ = true;
    for (; tick_ < tick; ++tick_) {
      asked.push_back(asked_ - asked_before_);
      left.push_back(asked_ - issued_);
      asked_before_ = asked_;
    }
  }

  void Arrive(Ps now) {
    asked_ += load_.ids_in_request;
    // As a pool of connections does: one that is free, else the one where fewest wait.
    const std::size_t first = random_.Below(sessions_.size());
    std::size_t at = first;
    for (std::size_t i = 0; i < sessions_.size() && Waiting(at, now) > 0; ++i) {
      const std::size_t other = (first + i) % sessions_.size();
      if (Waiting(other, now) < Waiting(at, now)) at = other;
    }
    Session& session = sessions_[at];
    session.requests.push_back({now, load_.ids_in_request});
    if (session.requests.size() == 1) events_.emplace(std::max(now, session.free_at), at);
  }

  [[nodiscard]] std::size_t Waiting(std::size_t at, Ps now) const {
    const Session& session = sessions_[at];
    return session.requests.size() + (session.free_at > now ? 1 : 0);
  }

  // One ID of the session's first request, or a wait.
  void Serve(std::size_t at, Ps now) {
    Session& session = sessions_[at];
    Request& request = session.requests.front();
    std::uint64_t position = 0;
    const auto read_clock = [this, now] { return clock_.At(now); };
    if (!session.cursor.Next(
            session.allowance, position_, [now] { return CounterAt(now); }, read_clock, position)) {
      const Bounds bounds{layout_.MaxPosition() + 1, 0, OvershootOf(layout_.IdsPerTick())};
      const Attempt attempt = TryTake(position_, layout_, {}, bounds, {}, read_clock);
      if (attempt.verdict != Verdict::kIssued) {
        if (attempt.verdict == Verdict::kWaitForTick) {
          session.waited_for_tick = now + attempt.wait_us * kPsInUs;
        } else if (attempt.verdict == Verdict::kWaitForClock) {
          session.waited_for_clock = now + attempt.wait_us * kPsInUs;
        } else {
          throw std::logic_error("neither an ID nor a wait");
        }
        events_.emplace(now + attempt.wait_us * kPsInUs + FromNs(load_.wake_ns), at);
        return;
      }
      position = attempt.taken.first;
    }
    Check(position, now);
    ++issued_;
    const Ps done = now + FromNs(load_.id_ns);
    session.free_at = done;
    if (--request.left == 0) {
      Finish(session, request, done);
      session.requests.pop_front();
    }
    if (!session.requests.empty()) events_.emplace(done, at);
  }

  void Check(std::uint64_t position, Ps now) {
    ++outcome_.issued;
    if (!seen_.Add(static_cast<std::uint64_t>(composer_(position)))) ++outcome_.repeats;
    if (load_.block_size == 1 && position <= last_) ++outcome_.disorder;
    last_ = position;
    const auto tick = static_cast<std::int64_t>(position >> composer_.sequence_bits);
    if (tick >= first_whole_ && tick < end_whole_) ++outcome_.in_whole_ticks;
    const std::int64_t now_tick = layout_.TickAt(clock_.At(now));
    // A reading of the clock may have been reused; but where the clock went back, the reading
    // before it may be.
    const bool set = clock_.set_by_us != 0 && now >= clock_.set_at;
    if (now_tick - tick > 1 || (!set && tick > now_tick)) ++outcome_.wrong_times;
  }

  void Finish(const Session& session, const Request& request, Ps done) {
    if (request.arrived < warm_) return;
    ++outcome_.requests;
    if (session.waited_for_tick >= request.arrived) ++outcome_.tick_waits;
    if (session.waited_for_clock >= request.arrived) ++outcome_.clock_waits;
    const Ps own = FromNs(load_.id_ns) * load_.ids_in_request;
    outcome_.delays.Add(done - request.arrived - own);
  }

  const Load& load_;
  const Layout& layout_;
  const ServerClock& clock_;
  Ps warm_;
  Random random_;
  Seen& seen_;
  ServersOutcome& outcome_;
  Composer composer_;
  std::uint64_t position_ = 0;
  std::uint64_t last_ = 0;
  std::vector<Session> sessions_;
  std::int64_t first_whole_;
  std::int64_t end_whole_;
  std::priority_queue<std::pair<Ps, std::size_t>, std::vector<std::pair<Ps, std::size_t>>,
                      std::greater<>>
      events_;
  std::int64_t tick_ = 0;
  bool tick_known_ = false;
  std::uint64_t asked_ = 0;
  std::uint64_t asked_before_ = 0;
  std::uint64_t issued_ = 0;
};

std::uint64_t FirstId(const Layout& layout, std::int64_t most_ahead_us) {
  const std::int64_t tick = layout.TickAt(kStartUs - most_ahead_us);
  return static_cast<std::uint64_t>(layout.MinId(static_cast<std::uint64_t>(tick)));
}

}  // namespace

Servers::Servers(const Layout& layout, std::int64_t run_ms, std::int64_t most_ahead_us)
    : run_ms_(run_ms),
      seen_(FirstId(layout, most_ahead_us),
            FirstId(layout, -(run_ms * 1000 + 2 * layout.tick_us) - most_ahead_us) -
                FirstId(layout, most_ahead_us)) {}

void Servers::Run(const Load& load, const Identity& identity, const ServerClock& clock,
                  std::int64_t warm_ms, std::uint64_t seed,
                  std::vector<std::uint64_t>* asked_in_tick,
                  std::vector<std::uint64_t>* left_at_tick_end) {
  const Ps end = run_ms_ * kPsInMs;
  Server server(load, identity, clock, warm_ms * kPsInMs, end, seed, seen_, outcome_);
  server.Run(end, asked_in_tick, left_at_tick_end);
}

}  // namespace idgen::scale
