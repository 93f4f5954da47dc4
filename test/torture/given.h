// The settings of idgen that a session of the client is given, and those that it then has.
#pragma once

#include <cstdlib>
#include <regex>
#include <string>

namespace {

// What a session has set; -1: the server's value.
struct Settings {
  int datacenter = -1;
  int machine = -1;
  int block_size = 1;
  std::string mode;  // empty: the server's
  int lead_ms = -1;
};

// Works out what the checker must expect of a session that is given these settings, in PGOPTIONS or
// in SQL. A plain role that sets what it may not set has the server's value, or an error
// (`refused`).
void Expect(const std::string& given, bool plain, Settings& settings, bool& refused) {
  static const std::regex setting("idgen\\.([a-z_]+) *= *'?([0-9a-z]+)");
  for (std::sregex_iterator at(given.begin(), given.end(), setting), end; at != end; ++at) {
    const std::string name = (*at)[1];
    const std::string value = (*at)[2];
    const bool number = value.find_first_not_of("0123456789") == std::string::npos;
    const bool open = name == "block_size" || name == "max_clock_wait" || name == "shard_id";
    const bool known = open || name == "datacenter_id" || name == "machine_id" ||
                       name == "clock_regression" || name == "max_clock_lead" ||
                       name == "reserve_window";
    if (!known || (plain && !open) || (name != "clock_regression" && !number) || value == "0") {
      refused = true;
    } else if (name == "block_size") {
      settings.block_size = atoi(value.c_str());
    } else if (name == "datacenter_id") {
      settings.datacenter = atoi(value.c_str());
    } else if (name == "machine_id") {
      settings.machine = atoi(value.c_str());
    } else if (name == "clock_regression") {
      settings.mode = value;
    } else if (name == "max_clock_lead") {
      settings.lead_ms = atoi(value.c_str());
    }
  }
}

}  // namespace
