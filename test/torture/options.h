// The client's options (client.cpp): NAME=VALUE, where the value may be a list.
#pragma once

#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Options {
  std::string dir;
  std::string target;
  std::map<std::string, std::string> values;

  [[nodiscard]] int Number(const char* name, int otherwise) const {
    const auto found = values.find(name);
    return found == values.end() ? otherwise : atoi(found->second.c_str());
  }
  [[nodiscard]] std::vector<std::string> List(const char* name, const char* otherwise,
                                              char separator = ',') const {
    const auto found = values.find(name);
    std::istringstream words(found == values.end() ? otherwise : found->second);
    std::vector<std::string> list;
    for (std::string word; std::getline(words, word, separator);) list.push_back(word);
    if (list.empty()) list.emplace_back();
    return list;
  }
};

}  // namespace
