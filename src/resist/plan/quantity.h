#pragma once

#include <string>
#include <vector>

namespace resist {

// What a flag's number measures: its units and bounds.
enum class Quantity {
  bandwidth,  // bits per second: 100mbit, 2.5gbit, 800kbit (decimal prefixes)
  duration,   // seconds: 20ms, 500us, 1s
  speed,      // floating-point operations per second: 40gflops, 1.5tflops
};

// The value of such a text in the quantity's base unit. InputError names the flag and what is allowed.
double parse_quantity(const std::string& flag, const std::string& text, Quantity quantity);

// Several, separated by commas.
std::vector<double> parse_quantities(const std::string& flag, const std::string& text, Quantity quantity);

// For people: 3 digits at most and the fitting unit, "240 Mbit/s", "1.5 Tflop/s", "20 ms".
std::string in_words(double value, Quantity quantity);

}  // namespace resist
