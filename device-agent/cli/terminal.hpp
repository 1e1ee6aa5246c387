// The person's side: passphrases without echo, prompts, progress. Never from arguments or the environment.
#pragma once

#include "cli/service.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::cli {

// From a descriptor, up to the first line end; or, if it is negative, from the terminal without echo, whatever standard
// input is. `twice` for a new one. Errors: Errc::usage, also when `stop` came before the line.
Result<Passphrase> read_passphrase(int descriptor, bool twice, const std::stop_token& stop = {});
// One line of standard input, after a prompt on standard error.
Result<std::string> ask_line(const std::string& prompt, const std::stop_token& stop = {});
bool is_terminal(int descriptor);

// A line that redraws itself on standard error: bytes, rate, time left. Silent where standard error is no terminal.
class ProgressBar {
  public:
    void show(std::uint64_t done, std::uint64_t total);
    ~ProgressBar();

  private:
    Millis began_ = 0, drawn_ = 0;
    std::uint64_t first_ = 0;
    bool open_ = false;
};

}  // namespace nimes::agent::cli
