#include "tables.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>

namespace idgen::scale {

std::optional<double> MedianOf(const std::string& file, std::string_view subject,
                               std::string_view x) {
  std::ifstream in(file);
  std::vector<double> values;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream fields(line);
    std::string of_subject;
    std::string of_x;
    std::string round;
    std::string value;
    std::getline(fields, of_subject, '\t');
    std::getline(fields, of_x, '\t');
    std::getline(fields, round, '\t');
    std::getline(fields, value, '\t');
    if (of_subject == subject && of_x == x) values.push_back(std::strtod(value.c_str(), nullptr));
  }
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

TableWriter::TableWriter(const std::string& file, std::string_view unit, std::string_view x,
                         const std::vector<std::string>& notes)
    : out_(file) {
  if (!out_) throw std::runtime_error(file + " cannot be written");
  out_ << "# " << unit << "\n# x: " << x << "\n";
  for (const std::string& note : notes) out_ << "# " << note << "\n";
}

void TableWriter::Add(std::string_view subject, std::string_view x, unsigned round, double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.6g", value);
  out_ << subject << '\t' << x << '\t' << round << '\t' << text << '\n';
}

void TableWriter::Add(std::string_view subject, double x, unsigned round, double value) {
  Add(subject, Brief(x), round, value);
}

std::string Brief(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4g", value);
  return text;
}

}  // namespace idgen::scale
