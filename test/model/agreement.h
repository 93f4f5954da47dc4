// Servers that share a registry and agree on a change of their generator's layouts (core/scheme.h).
// Each has a worker and sessions, which do what src/pg/lease and src/pg/session do, with the same
// functions of the core. What is certain about uniqueness in fleet.h is not looked at here, and so
// there are no positions: a session makes IDs of the last tick before the instant, and of the first
// from then on, as soon as it may.
#pragma once

#include "atomic_word.h"

#include <idgen/lease.h>
#include <idgen/scheme.h>
#include <idgen/succession.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "explorer.h"
// In angle brackets, so that a copy with a fault comes first.
#include <agreement_registry.h>

namespace idgen::model {

inline constexpr std::size_t kMostAgreeing = 3;
inline constexpr int kMostHolders = 3;  // of a server

// A grant's time as a server asks for it: it covers the last tick before the instant, or the first
// one from then on as well.
inline constexpr std::int64_t kShortMs = kAtMs;
inline constexpr std::int64_t kLongMs = kAtMs + 1;

// A server's shared memory and catalogs.
struct AgreeingServer {
  // Shared by its processes.
  std::uint64_t published = 0;  // the version of the scheme that it goes by
  std::uint64_t current = 0;    // the living holder's grant, from 1; 0: none
  std::uint64_t changed = 0;    // 1: its catalogs have kAfter
  std::array<Grant, kMostHolders> grants{};
  // The worker's.
  int holders = 0;
  std::int64_t acknowledged = 0;

  [[nodiscard]] std::uint64_t State() const {
    std::uint64_t state = Mix(Mix(published, current), changed);
    for (const Grant& grant : grants) state = Mix(Mix(state, grant.until_ms), grant.ended);
    return Mix(Mix(state, static_cast<std::uint64_t>(holders)),
               static_cast<std::uint64_t>(acknowledged));
  }
};

inline std::int64_t PublishedBy(const AgreeingServer& server) {
  return static_cast<std::int64_t>(LoadPosition(server.published));
}

class AgreeingWorker {
 public:
  AgreeingWorker(AgreeingServer& server, AgreementRegistry& registry, std::size_t number)
      : server_(server), registry_(registry), first_(static_cast<int>(number) * kMostHolders) {}

  // At the beginning.
  void Start(std::int64_t until_ms) {
    Publish(registry_.Latest());
    Enrol(until_ms);
  }

  void Work() {
    const std::int64_t until_ms = Choose(2) == 0 ? kShortMs : kLongMs;
    Note("asks for time until", static_cast<std::uint64_t>(until_ms));
    if (server_.current == 0) return Enrol(until_ms);
    Renew(until_ms);
  }

  // By a watch, or because it has heard of it by the way.
  void Learn() { Publish(registry_.Latest()); }

  // Its catalogs follow the scheme.
  void Apply() {
    const bool is_changed = registry_.Version(PublishedBy(server_)).is_changed;
    if (is_changed) RaisePosition(server_.changed, 1);
  }

  // Commits what is proposed, if all have consented.
  void Commit() {
    const std::int64_t known = PublishedBy(server_);
    const std::int64_t proposed = registry_.Version(known).proposed;
    if (proposed == 0 || !registry_.HaveConsented(proposed)) return;
    (void)registry_.Write(known, {true, 0});
  }

  void Stop() {
    if (server_.current == 0) return;
    const int holder = HolderNow();
    EndGrant(DropGrant());
    (void)registry_.Release(holder);
  }

 private:
  [[nodiscard]] int HolderNow() const { return first_ + static_cast<int>(server_.current) - 1; }

  Grant& DropGrant() {
    Step();
    return server_.grants[static_cast<std::size_t>(std::exchange(server_.current, 0) - 1)];
  }

  // Only newer ones: another process may have been faster.
  void Publish(std::int64_t version) {
    RaisePosition(server_.published, static_cast<std::uint64_t>(version));
  }

  void Enrol(std::int64_t until_ms) {
    if (server_.holders == kMostHolders) return;
    const int number = server_.holders++;
    Grant& grant = server_.grants[static_cast<std::size_t>(number)];
    for (int attempt = 0; attempt < 2; ++attempt) {
      const std::int64_t known = PublishedBy(server_);
      Told told = Told::kFailed;
      const bool done = RaiseGrant(grant, until_ms, [&](std::int64_t asked_ms) {
        told = registry_.Enrol(first_ + number, asked_ms, known);
        return told == Told::kDone;
      });
      if (told == Told::kStale) Learn();
      if (!done) continue;
      server_.acknowledged = known;
      Step();
      server_.current = static_cast<std::uint64_t>(number) + 1;
      return;
    }
  }

  void Renew(std::int64_t until_ms) {
    Grant& grant = server_.grants[static_cast<std::size_t>(server_.current - 1)];
    Acknowledge(grant);
    Told told = Told::kFailed;
    std::int64_t latest = 0;
    (void)RaiseGrant(grant, until_ms, [&](std::int64_t asked_ms) {
      told = registry_.Renew(HolderNow(), asked_ms, server_.acknowledged, latest);
      return told == Told::kDone;
    });
    if (told == Told::kLost) EndGrant(DropGrant());
    if (told == Told::kDone && latest > PublishedBy(server_)) Learn();
  }

  // What it went by until now must not reach beyond the instant.
  void Acknowledge(const Grant& grant) {
    const std::int64_t known = PublishedBy(server_);
    const bool is_proposed = registry_.Version(known).proposed != 0;
    if (is_proposed && !MayAcknowledge(UntilMs(grant), kAtMs)) return;
    server_.acknowledged = known;
  }

  AgreeingServer& server_;
  AgreementRegistry& registry_;
  int first_ = 0;
};

class AgreeingSession {
 public:
  // Looks how far it may go on, and by which layouts.
  void Look(const AgreeingServer& server, const AgreementRegistry& registry) {
    const bool is_changed = LoadPosition(server.changed) != 0;
    // It may not have heard of it.
    if (is_changed && !is_changed_) is_changed_ = Choose(2) == 1;
    Note("knows of the change in its catalogs:", is_changed_ ? 1 : 0);
    if (grant_ == nullptr || HasEnded(*grant_)) {
      Step();
      Note("finds grant", server.current);
      grant_ = server.current == 0 ? nullptr : &server.grants[server.current - 1];
    }
    if (grant_ == nullptr) return Open(0);
    const std::int64_t until_ms = UntilMs(*grant_);
    const std::int64_t version = PublishedBy(server);
    Open(std::min(until_ms, FenceMs(registry.Version(version))));
  }

  [[nodiscard]] std::uint64_t State(const AgreeingServer& server) const {
    const std::int64_t grant = grant_ == nullptr ? 0 : grant_ - server.grants.data() + 1;
    return Mix(Mix(static_cast<std::uint64_t>(grant), is_changed_ ? 1 : 0),
               static_cast<std::uint64_t>(limit_ms_));
  }

  [[nodiscard]] std::int64_t limit_ms() const { return limit_ms_; }
  [[nodiscard]] const Layout& LayoutAt(std::int64_t time_ms) const {
    const Succession& own = is_changed_ ? kAfter : kBefore;
    return own.stages[own.StageAt(time_ms * 1000)].layout;
  }

 private:
  // Up to where its own layouts are those that all go by, and that nobody wants to change.
  [[nodiscard]] std::int64_t FenceMs(const SchemeOfModel& scheme) const {
    const Succession& own = is_changed_ ? kAfter : kBefore;
    std::int64_t fence_us = FirstDifference(own, scheme.is_changed ? kAfter : kBefore);
    if (scheme.proposed != 0) fence_us = std::min(fence_us, FirstDifference(own, kAfter));
    return fence_us / 1000;
  }

  void Open(std::int64_t limit_ms) {
    limit_ms_ = limit_ms;
    Note("may go on until", static_cast<std::uint64_t>(limit_ms));
  }

  const Grant* grant_ = nullptr;
  bool is_changed_ = false;  // it knows the new catalogs
  std::int64_t limit_ms_ = 0;
};

// What a thread does in turn, for a server.
struct AgreeingPart {
  enum class Does : std::uint8_t {
    kWork,   // enrols or renews, and learns
    kLearn,  // of the scheme, without a renewal
    kApply,
    kCommit,
    kStop,
    kLook,  // a session: how far it may go on
    kTake,  // it makes IDs as far as it knew that it may, some time after the look
    // Anybody:
    kPropose,
    kCallOff,
    kGoBack,  // to the first proposal, which was called off
  };
  std::size_t server = 0;
  std::vector<Does> does;
};

class Agreement : public Scenario {
 public:
  using Does = AgreeingPart::Does;

  explicit Agreement(std::vector<AgreeingPart> parts) : parts_(std::move(parts)) {}

  [[nodiscard]] int threads() const override { return static_cast<int>(parts_.size()); }

  void Begin() override {
    operations = {};
    registry_ = AgreementRegistry(forgets);
    made_old_late_ = false;
    servers_ = {};
    sessions_ = {};
    for (std::size_t i = 0; i < kMostAgreeing; ++i) {
      if (begins_ms[i] != 0) Worker(i).Start(begins_ms[i]);
    }
    for (std::size_t thread = 0; thread < parts_.size(); ++thread) {
      sessions_[thread].Look(servers_[parts_[thread].server], registry_);
    }
    if (is_proposed) Propose();
    registry_.LetFail(failures);
  }

  void Run(int thread) override {
    const AgreeingPart& part = parts_[static_cast<std::size_t>(thread)];
    AgreeingSession& session = sessions_[static_cast<std::size_t>(thread)];
    for (std::size_t i = 0; i < part.does.size(); ++i) {
      Forget(Mix(i + 1, session.State(servers_[part.server])));
      Do(part.does[i], part.server, session);
    }
  }

  [[nodiscard]] std::uint64_t State() const override {
    std::uint64_t state = Mix(registry_.State(), made_old_late_ ? 1 : 0);
    for (const AgreeingServer& server : servers_) state = Mix(state, server.State());
    return state;
  }

  const char* End() override {
    return made_old_late_ && registry_.IsCommitted() ? "of the old layout from the instant on"
                                                     : nullptr;
  }

  // The time that each server has been granted, or 0: it is no holder yet.
  std::array<std::int64_t, kMostAgreeing> begins_ms = {kShortMs, kShortMs, 0};
  bool is_proposed = true;  // which nobody knows yet
  bool forgets = false;
  int failures = 0;

 private:
  AgreeingWorker Worker(std::size_t server) { return {servers_[server], registry_, server}; }

  void Do(Does does, std::size_t server, AgreeingSession& session) {
    switch (does) {
      case Does::kWork:
        return Worker(server).Work();
      case Does::kLearn:
        return Worker(server).Learn();
      case Does::kApply:
        return Worker(server).Apply();
      case Does::kCommit:
        return Worker(server).Commit();
      case Does::kStop:
        return Worker(server).Stop();
      case Does::kLook:
        return session.Look(servers_[server], registry_);
      case Does::kTake:
        return Take(session);
      case Does::kPropose:
        return Propose();
      case Does::kCallOff:
        return CallOff();
      case Does::kGoBack:
        return GoBack();
    }
  }

  void Propose() {
    const std::int64_t known = registry_.Latest();
    const SchemeOfModel& now = registry_.Version(known);
    if (now.is_changed || now.proposed != 0) return;
    (void)registry_.Write(known, {false, known + 1});
  }
  void CallOff() {
    const std::int64_t known = registry_.Latest();
    if (registry_.Version(known).proposed != 0) (void)registry_.Write(known, {});
  }
  // What was proposed before is proposed anew: whoever consented then may have gone on since.
  void GoBack() {
    const std::int64_t known = registry_.Latest();
    const SchemeOfModel& now = registry_.Version(known);
    if (now.is_changed || now.proposed != 0) return;
    SchemeOfModel earlier = registry_.Version(2);
    if (earlier.proposed != 0) earlier.proposed = known + 1;
    (void)registry_.Write(known, earlier);
  }

  void Take(const AgreeingSession& session) {
    Step();
    Note("makes IDs until", static_cast<std::uint64_t>(session.limit_ms()));
    if (kShortMs <= session.limit_ms()) Make(session.LayoutAt(kShortMs - 1), kShortMs - 1);
    if (kLongMs <= session.limit_ms()) Make(session.LayoutAt(kLongMs - 1), kLongMs - 1);
  }

  void Make(const Layout& layout, std::int64_t time_ms) {
    const bool is_new = layout == kNew;
    Note(is_new ? "makes an ID of the new layout of" : "makes an ID of the old layout of",
         static_cast<std::uint64_t>(time_ms));
    if (is_new && time_ms < kAtMs) Fail("of the new layout before the instant");
    if (is_new && !registry_.IsCommitted()) Fail("of the new layout before all have agreed");
    if (is_new || time_ms < kAtMs) return;
    made_old_late_ = true;
    if (registry_.IsCommitted()) Fail("of the old layout from the instant on");
  }

  const std::vector<AgreeingPart> parts_;
  AgreementRegistry registry_;
  std::array<AgreeingServer, kMostAgreeing> servers_{};
  std::array<AgreeingSession, kMostThreads> sessions_{};
  bool made_old_late_ = false;
};

}  // namespace idgen::model
