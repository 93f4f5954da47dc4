// The layouts that the generator "torture_changing" goes over to, and which of them made an ID. The
// campaign writes a file about it at the end of a round (Torture/Changes.pm):
//
//   layout NUMBER EPOCH_US TICK_US and, for timestamp, datacenter, machine, sequence: SHIFT BITS
//   stage GENERATOR LAYOUT SINCE_US   its layout from that instant on, in this order
//   off GENERATOR LAYOUT SINCE_US     a change that was called off, rolled back or refused
//
// GENERATOR is the number of its database; 0 for all where the whole fleet has one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "layouts.h"

namespace {

struct ChangingLayout {
  Layout layout;
  Field sequence;

  // The smallest ID of a time from an instant on.
  [[nodiscard]] std::int64_t FirstIdFrom(std::int64_t time_us) const {
    if (time_us <= layout.epoch_us) return 0;
    const std::int64_t tick = (time_us - layout.epoch_us + layout.tick_us - 1) / layout.tick_us;
    return tick << layout.time.shift;
  }
};

struct Stage {
  int layout;
  std::int64_t since_us;
  const ChangingLayout* of;
  std::int64_t first_id;  // 0 of the first one
};

std::map<int, ChangingLayout> changing_layouts;
std::map<int, std::vector<Stage>> successions;
std::map<int, std::vector<Stage>> called_off;
bool each_database_changes = false;

void ReadChanges(const std::string& path) {
  std::ifstream file(path);
  for (std::string kind; file >> kind;) {
    int number = 0;
    file >> number;
    if (kind == "layout") {
      ChangingLayout read{};
      Layout& layout = read.layout;
      layout = layouts[static_cast<std::size_t>(LayoutName::kChanging)];
      layout.has_time = true;
      file >> layout.epoch_us >> layout.tick_us;
      for (Field* field : {&layout.time, &layout.datacenter, &layout.machine, &read.sequence}) {
        file >> field->shift >> field->bits;
      }
      changing_layouts[number] = read;
    } else {
      Stage stage{};
      file >> stage.layout >> stage.since_us;
      std::vector<Stage>& list = (kind == "stage" ? successions : called_off)[number];
      stage.of = &changing_layouts.at(stage.layout);
      stage.first_id = list.empty() ? 0 : stage.of->FirstIdFrom(stage.since_us);
      list.push_back(stage);
    }
  }
}

int GeneratorOf(const Call& call) { return each_database_changes ? call.shard : 0; }

// The place in the succession of an ID, by its size, and of a time.
std::size_t StageOfId(const std::vector<Stage>& stages, std::int64_t id) {
  std::size_t place = 0;
  for (std::size_t i = 1; i < stages.size(); ++i) {
    if (id >= stages[i].first_id) place = i;
  }
  return place;
}
std::size_t StageAt(const std::vector<Stage>& stages, std::int64_t time_us) {
  std::size_t place = 0;
  while (place + 1 < stages.size() && time_us >= stages[place + 1].since_us) ++place;
  return place;
}

const ChangingLayout& ChangingLayoutOf(const Call& call, std::int64_t id) {
  const std::vector<Stage>& stages = successions.at(GeneratorOf(call));
  return *stages[StageOfId(stages, id)].of;
}

// The layout that an ID has to be of.
const Layout& LayoutOf(const Call& call, std::int64_t id) {
  if (call.layout == LayoutName::kChanging) return ChangingLayoutOf(call, id).layout;
  return layouts[static_cast<std::size_t>(call.layout)];
}

std::int64_t StartNsOf(const Call& call, std::int64_t id) {
  const Layout& layout = LayoutOf(call, id);
  return layout.StartNs(layout.Tick(id));
}

// What is wrong about the layout that made an ID; nullptr if nothing is. `is_own(layout)` tells
// whether what the ID says of its maker in that layout is true, and `is_present(start_ns, tick_ns)`
// whether a tick was one in which the call could make IDs.
template <typename IsOwn, typename IsPresent>
const char* FlawOfStage(const Call& call, std::int64_t id, IsOwn&& is_own, IsPresent&& is_present) {
  const std::vector<Stage>& stages = successions.at(GeneratorOf(call));
  const std::size_t place = StageOfId(stages, id);
  const Layout& own = stages[place].of->layout;
  const std::int64_t start_us = own.StartNs(own.Tick(id)) / kNsPerUs;
  const bool is_in_time = place + 1 == stages.size() || start_us < stages[place + 1].since_us;
  if (is_own(own) && is_in_time) return nullptr;
  const char* flaw = "layout";
  for (const auto& [number, other] : changing_layouts) {
    const Layout& layout = other.layout;
    const std::int64_t start_ns = layout.StartNs(layout.Tick(id));
    if (!is_own(layout) || !is_present(start_ns, layout.tick_us * kNsPerUs)) continue;
    const std::int64_t time_us = start_ns / kNsPerUs;
    const std::size_t at = StageAt(stages, time_us);
    // What has this layout and is not the stage of that time.
    const auto is_of = [made_by = number](const Stage& stage) { return stage.layout == made_by; };
    const auto present = stages.begin() + static_cast<std::ptrdiff_t>(at);
    if (std::any_of(
            called_off[GeneratorOf(call)].begin(), called_off[GeneratorOf(call)].end(),
            [&](const Stage& stage) { return is_of(stage) && stage.since_us <= time_us; })) {
      flaw = "called-off";
    }
    if (std::any_of(present + 1, stages.end(), is_of)) flaw = "new-before-instant";
    if (std::any_of(stages.begin(), present, is_of)) flaw = "old-after-instant";
  }
  return flaw;
}

}  // namespace
