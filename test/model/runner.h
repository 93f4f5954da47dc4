// A test program: scenarios by name, and what is said about each.
//
// usage: PROGRAM [name ...]          (the scenarios whose names begin so; default: all)
//        PROGRAM --singly name ...   executions are taken one by one, also where they are
//                                    the same from some point on: as many must be found
//        PROGRAM --must-fail         a fault is planted, and a scenario must find it
#pragma once

#include <array>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "explorer.h"

namespace idgen::model {

struct Named {
  std::string name;
  std::unique_ptr<Scenario> scenario;
};

class ScenarioList {
 public:
  template <typename Kind, typename... Arguments>
  Kind& Add(const std::string& name, Arguments&&... arguments) {
    auto scenario = std::make_unique<Kind>(std::forward<Arguments>(arguments)...);
    Kind& added = *scenario;
    all_.push_back({name, std::move(scenario)});
    return added;
  }
  [[nodiscard]] const std::vector<Named>& all() const { return all_; }

 private:
  std::vector<Named> all_;
};

inline std::string Rounded(double number) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2e", number);
  return text.data();
}

inline void Print(std::string_view name, Count executions, std::uint64_t runs, double seconds) {
  // Exactly as far as that can be read.
  constexpr Count kLongest = 99'999'999'999'999'999;
  const auto text = executions <= kLongest ? std::to_string(static_cast<std::uint64_t>(executions))
                                           : Rounded(static_cast<double>(executions));
  std::printf("%-42.*s %17s executions in %9" PRIu64 " runs, %6.2f s\n",
              static_cast<int>(name.size()), name.data(), text.c_str(), runs, seconds);
  std::fflush(stdout);
}

inline int RunScenarios(const std::vector<Named>& scenarios, std::vector<std::string_view> wanted) {
  const bool must_fail = !wanted.empty() && wanted[0] == "--must-fail";
  const bool singly = !wanted.empty() && wanted[0] == "--singly";
  if (must_fail || singly) wanted.erase(wanted.begin());
  const auto is_wanted = [&wanted](std::string_view name) {
    if (wanted.empty()) return true;
    for (const std::string_view begin : wanted) {
      if (name.starts_with(begin)) return true;
    }
    return false;
  };
  Count executions = 0;
  std::uint64_t runs = 0;
  bool any = false;
  const auto start = std::chrono::steady_clock::now();
  const auto seconds = [&start] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  };
  for (const Named& named : scenarios) {
    if (!is_wanted(named.name)) continue;
    any = true;
    const double began = seconds();
    const Explored explored = Explore(*named.scenario);
    executions += explored.executions;
    runs += explored.runs;
    Print(named.name, explored.executions, explored.runs, seconds() - began);
    if (explored.failure.empty() && singly) {
      const Explored one_by_one = Explore(*named.scenario, Merging::kNo);
      Print("  the same, singly", one_by_one.executions, one_by_one.runs, seconds() - began);
      if (one_by_one.runs != explored.executions) {
        std::puts("FAILED: another number of executions");
        return 1;
      }
    }
    if (explored.failure.empty()) continue;
    std::printf("%s %s\n", must_fail ? "found:" : "FAILED:", explored.failure.c_str());
    return must_fail ? 0 : 1;
  }
  Print("all", executions, runs, seconds());
  if (must_fail) std::puts("FAILED: the planted fault was not found");
  return must_fail || !any ? 1 : 0;
}

}  // namespace idgen::model
