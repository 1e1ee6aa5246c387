// Others' words on our terminal. An escape sequence in a message must not move the cursor or rename the window, a
// change of direction must not turn a name around, a line end must not begin a line that looks like ours.
//
// Threads: functions of values. What may not be shown, and bytes that are no UTF-8, become '?'.
#pragma once

#include <string>
#include <string_view>

namespace nimes::agent::cli {

// Of a name, a title, an address: one line.
std::string printable(std::string_view text);
// Of a message: lines after the first are set in.
std::string printable_text(std::string_view text);

}  // namespace nimes::agent::cli
