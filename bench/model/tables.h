// Tables of figures as bench/core and bench/sql write them too: lines "subject x round value",
// between tabs; of the lines that begin with "#" the first names the unit, "# x: what" what x is,
// and the others are notes.
#pragma once

#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace idgen::scale {

// The median of the rounds; nothing where there is no such file or line.
std::optional<double> MedianOf(const std::string& file, std::string_view subject,
                               std::string_view x);

class TableWriter {
 public:
  // Throws if the file cannot be written.
  TableWriter(const std::string& file, std::string_view unit, std::string_view x,
              const std::vector<std::string>& notes);

  void Add(std::string_view subject, std::string_view x, unsigned round, double value);
  void Add(std::string_view subject, double x, unsigned round, double value);

 private:
  std::ofstream out_;
};

// As few digits as say it: 4, 0.25, 99.9.
std::string Brief(double value);

}  // namespace idgen::scale
