// A registry of identities for the model, as src/registry/registry.h says what one does: each
// operation takes effect at once, or not at all, and an answer may be lost. Whether a holder's time
// is up is chosen whenever it matters: nothing here knows a time.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "explorer.h"

namespace idgen::model {

inline constexpr std::size_t kIdentities = 2;
inline constexpr int kNobody = -1;

enum class Answered : std::uint8_t { kDone, kLost, kFailed };

struct ClaimAnswer {
  bool is_granted = false;
  std::int64_t used_until_ms = 0;
  // Of all claims of the identity that were granted; not the registry's, but the checker's.
  std::uint64_t number = 0;
};

class Registry {
 public:
  Registry() = default;
  // `forgets`: no holder that has ended is kept, but what counts of it with its identities.
  explicit Registry(bool forgets) : forgets_(forgets) {}

  // So many operations from now on may stay without an answer.
  void LetFail(int failures) { failures_left_ = failures; }

  Answered Enrol(int holder, std::int64_t used_until_ms) {
    return Operate("enrols until", [&] {
      Holder& enrolled = HolderOf(holder);
      enrolled.is_known = true;
      enrolled.used_until_ms = used_until_ms;
      return true;
    });
  }

  Answered Renew(int holder, std::int64_t used_until_ms) {
    return Operate("renews", [&] {
      if (!Lives(holder)) return false;
      std::int64_t& until_ms = HolderOf(holder).used_until_ms;
      until_ms = std::max(until_ms, used_until_ms);
      return true;
    });
  }

  // Ends whoever holds an identity, if its time is up: a claim's first part.
  void EndIfExpired(int claimant, std::size_t identity) {
    Step();
    const int holder = identities_[identity].holder;
    if (holder == claimant || !Lives(holder)) return Note("finds an identity of", Number(holder));
    const std::int64_t used_until_ms = FinalMs(holder);
    const bool is_expired = Choose(2) == 1;
    Note(is_expired ? "ends holder" : "leaves alone holder", Number(holder));
    if (is_expired) End(holder, used_until_ms);
  }

  Answered Claim(int holder, std::size_t identity, ClaimAnswer& answer) {
    const Answered answered = Operate("claims identity", [&] {
      if (!Lives(holder)) return false;
      Identity& claimed = identities_[identity];
      const int other = claimed.holder;
      answer.is_granted = other == holder || !Lives(other);
      if (other != holder && answer.is_granted) {
        claimed.used_until_ms = std::max(claimed.used_until_ms, FinalMs(other));
        claimed.holder = holder;
        ++claimed.number;
      }
      answer.used_until_ms = claimed.used_until_ms;
      answer.number = claimed.number;
      return true;
    });
    if (answered != Answered::kDone) answer = {};
    Note("is granted it by claim", answer.is_granted ? answer.number : 0);
    Note("where others were until", static_cast<std::uint64_t>(answer.used_until_ms));
    return answered;
  }

  Answered Release(int holder, std::int64_t used_until_ms) {
    return Operate("releases", [&] {
      if (!Lives(holder)) return true;
      std::int64_t& until_ms = HolderOf(holder).used_until_ms;
      until_ms = std::min(until_ms, used_until_ms);
      End(holder, until_ms);
      return true;
    });
  }

  [[nodiscard]] std::uint64_t State() const {
    std::uint64_t state = static_cast<std::uint64_t>(failures_left_);
    for (const Holder& holder : holders_) {
      state = Mix(state, static_cast<std::uint64_t>(holder.used_until_ms) * 4 +
                             (holder.is_known ? 2 : 0) + (holder.has_ended ? 1 : 0));
    }
    for (const Identity& identity : identities_) {
      state = Mix(Mix(state, Number(identity.holder)), identity.number);
      state = Mix(state, static_cast<std::uint64_t>(identity.used_until_ms));
    }
    return state;
  }

 private:
  struct Holder {
    bool is_known = false;
    bool has_ended = false;
    std::int64_t used_until_ms = 0;
  };
  struct Identity {
    int holder = kNobody;
    std::int64_t used_until_ms = 0;
    std::uint64_t number = 0;
  };

  static std::uint64_t Number(int holder) { return static_cast<std::uint64_t>(holder + 1); }

  Holder& HolderOf(int holder) {
    if (holder < 0 || holder >= static_cast<int>(holders_.size())) Fail("too many holders");
    return holders_[static_cast<std::size_t>(holder)];
  }
  bool Lives(int holder) {
    return holder != kNobody && HolderOf(holder).is_known && !HolderOf(holder).has_ended;
  }
  // Of a holder that has ended, or of nobody.
  std::int64_t FinalMs(int holder) {
    return holder == kNobody ? 0 : HolderOf(holder).used_until_ms;
  }

  void End(int holder, std::int64_t used_until_ms) {
    HolderOf(holder).has_ended = true;
    if (!forgets_) return;
    for (Identity& identity : identities_) {
      if (identity.holder != holder) continue;
      identity.used_until_ms = std::max(identity.used_until_ms, used_until_ms);
      identity.holder = kNobody;
    }
    HolderOf(holder) = {};
  }

  // `act` returns false where the holder has ended.
  template <typename Act>
  Answered Operate(const char* what, Act&& act) {
    Step();
    // All is well, the answer is lost, or the request.
    const unsigned failure = failures_left_ > 0 ? Choose(3) : 0;
    if (failure > 0) --failures_left_;
    const bool is_done = failure < 2 && act();
    const Answered answered = failure > 0 ? Answered::kFailed
                              : is_done   ? Answered::kDone
                                          : Answered::kLost;
    Note(what, static_cast<std::uint64_t>(answered));
    return answered;
  }

  bool forgets_ = false;
  int failures_left_ = 0;
  std::array<Holder, 9> holders_{};
  std::array<Identity, kIdentities> identities_{};
};

}  // namespace idgen::model
