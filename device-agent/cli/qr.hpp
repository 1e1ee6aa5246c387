// A text as a QR code of half blocks, dark on light, for a terminal. Pure; thread safe. Empty when it does not fit.
#pragma once

#include <string>

namespace nimes::agent::cli {

std::string qr_text(const std::string& text);

}  // namespace nimes::agent::cli
