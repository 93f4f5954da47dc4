// The part of a registry that the agreement on a change rests on, for the model: versions of the
// scheme, and holders that acknowledge them, as src/registry/registry.h says. Each operation takes
// effect at once, or not at all, and an answer may be lost. Whether a holder's time is up is chosen
// whenever it matters: nothing here knows a time.
#pragma once

#include <idgen/scheme.h>
#include <idgen/succession.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "explorer.h"

namespace idgen::model {

// The one generator that there is, before the change and with it.
inline constexpr std::int64_t kAtMs = 10;
inline constexpr Layout kOld =
    MakeLayout("old", 1000, 0,
               {{FieldKind::kTimestamp, 20}, {FieldKind::kMachine, 2}, {FieldKind::kSequence, 4}});
inline constexpr Layout kNew =
    MakeLayout("new", 1000, 0,
               {{FieldKind::kTimestamp, 20}, {FieldKind::kMachine, 4}, {FieldKind::kSequence, 4}});

constexpr Succession Changed() {
  Succession changed(kOld);
  changed.Append(kNew, kAtMs * 1000);
  return changed;
}
inline constexpr Succession kBefore{kOld};
inline constexpr Succession kAfter = Changed();

// What a version of the scheme says.
struct SchemeOfModel {
  bool is_changed = false;    // the generator's layouts are kAfter
  std::int64_t proposed = 0;  // the version that proposed them; 0: nothing is proposed
};

enum class Told : std::uint8_t {
  kDone,
  kLost,   // the holder has ended
  kStale,  // there is another version
  kFailed,
};

class AgreementRegistry {
 public:
  AgreementRegistry() = default;
  // `forgets`: no holder that has ended is kept.
  explicit AgreementRegistry(bool forgets) : forgets_(forgets) {}

  // So many operations from now on may stay without an answer.
  void LetFail(int failures) { failures_left_ = failures; }

  // --- Holders ---

  Told Enrol(int holder, std::int64_t used_until_ms, std::int64_t known) {
    return Operate("enrols", [&] {
      if (known != latest_) return Told::kStale;
      HolderOf(holder) = {true, {true, used_until_ms, known}};
      return Told::kDone;
    });
  }

  Told Renew(int holder, std::int64_t used_until_ms, std::int64_t known, std::int64_t& latest) {
    const Told told = Operate("renews", [&] {
      HolderState& state = HolderOf(holder).state;
      if (!state.lives) return Told::kLost;
      state.used_until_ms = std::max(state.used_until_ms, used_until_ms);
      state.acknowledged = std::max(state.acknowledged, known);
      latest = latest_;
      return Told::kDone;
    });
    Note("and hears of version", static_cast<std::uint64_t>(latest));
    return told;
  }

  Told Release(int holder) {
    return Operate("releases", [&] {
      if (HolderOf(holder).state.lives) End(HolderOf(holder));
      return Told::kDone;
    });
  }

  // Whether each holder has consented. Ends those whose time is up. The holders are looked at one
  // after the other.
  bool HaveConsented(std::int64_t proposed) {
    for (Known& known : holders_) {
      if (!known.is_known) continue;
      Note("comes to a holder:", static_cast<std::uint64_t>(&known - holders_.data()));
      Step();
      if (known.state.lives && Choose(2) == 1) End(known);
      if (!known.is_known) continue;
      if (!HasConsented(known.state, proposed)) return false;
    }
    Note("comes to those that were forgotten:", 0);
    Step();
    return HasConsented({false, forgotten_until_ms_, 0}, proposed);
  }

  // --- The scheme ---

  [[nodiscard]] const SchemeOfModel& Version(std::int64_t version) const {
    return versions_[static_cast<std::size_t>(version)];
  }

  std::int64_t Latest() {
    Step();
    Note("reads version", static_cast<std::uint64_t>(latest_));
    return latest_;
  }

  // Writes the version after `known`.
  Told Write(std::int64_t known, const SchemeOfModel& scheme) {
    return Operate(scheme.is_changed ? "commits" : "writes a version", [&] {
      if (latest_ != known) return Told::kStale;
      if (static_cast<std::size_t>(latest_) + 1 == versions_.size()) Fail("too many versions");
      versions_[static_cast<std::size_t>(++latest_)] = scheme;
      return Told::kDone;
    });
  }

  // Whether a change was committed, ever.
  [[nodiscard]] bool IsCommitted() const {
    return std::any_of(versions_.begin(), versions_.end(),
                       [](const SchemeOfModel& scheme) { return scheme.is_changed; });
  }

  [[nodiscard]] std::uint64_t State() const {
    std::uint64_t state = Mix(static_cast<std::uint64_t>(failures_left_),
                              static_cast<std::uint64_t>(forgotten_until_ms_));
    for (const Known& known : holders_) {
      state = Mix(state, static_cast<std::uint64_t>(known.state.used_until_ms) * 4 +
                             (known.is_known ? 2 : 0) + (known.state.lives ? 1 : 0));
      state = Mix(state, static_cast<std::uint64_t>(known.state.acknowledged));
    }
    for (std::int64_t i = 0; i <= latest_; ++i) {
      state = Mix(state, static_cast<std::uint64_t>(Version(i).proposed) * 2 +
                             (Version(i).is_changed ? 1 : 0));
    }
    return state;
  }

 private:
  struct Known {
    bool is_known = false;
    HolderState state;
  };

  Known& HolderOf(int holder) {
    if (holder < 0 || holder >= static_cast<int>(holders_.size())) Fail("too many holders");
    return holders_[static_cast<std::size_t>(holder)];
  }

  void End(Known& holder) {
    holder.state.lives = false;
    Note("is ended, with time until", static_cast<std::uint64_t>(holder.state.used_until_ms));
    if (!forgets_) return;
    forgotten_until_ms_ = std::max(forgotten_until_ms_, holder.state.used_until_ms);
    holder = {};
  }

  static bool HasConsented(const HolderState& holder, std::int64_t proposed) {
    const bool has = ConsentOf(holder, proposed, kAtMs) == Consent::kGiven;
    Note("finds the consent of a holder:", has ? 1 : 0);
    return has;
  }

  template <typename Act>
  Told Operate(const char* what, Act&& act) {
    Step();
    // All is well, the answer is lost, or the request.
    const unsigned failure = failures_left_ > 0 ? Choose(3) : 0;
    if (failure > 0) --failures_left_;
    const Told told = failure < 2 ? act() : Told::kFailed;
    Note(what, static_cast<std::uint64_t>(failure > 0 ? Told::kFailed : told));
    return failure > 0 ? Told::kFailed : told;
  }

  bool forgets_ = false;
  int failures_left_ = 0;
  std::int64_t forgotten_until_ms_ = 0;  // the latest of those that are not kept
  std::int64_t latest_ = 1;
  std::array<Known, 9> holders_{};
  std::array<SchemeOfModel, 8> versions_{};
};

}  // namespace idgen::model
