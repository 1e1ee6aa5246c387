// The fake agent as a person or a script would run it: a process of its own, passphrase by descriptor, output kept.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace nimes::agent::cli::test {

using Json = nlohmann::json;

// A home that goes with the test.
class Home {
  public:
    explicit Home(const std::string& below = "home");
    ~Home();
    Home(const Home&) = delete;
    Home& operator=(const Home&) = delete;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }
    [[nodiscard]] std::vector<std::string> lines(const std::string& file) const;
    void write(const std::string& file, const std::string& text = {}) const;

  private:
    std::filesystem::path folder_, path_;
};

class Process {
  public:
    struct How {
        std::string passphrase = "richtig";
        std::string typed;  // standard input
        bool json = true;
    };
    Process(const Home& home, const std::vector<std::string>& words, const How& how);
    Process(const Home& home, const std::vector<std::string>& words) : Process(home, words, How{}) {}
    Process(Process&& other) noexcept;
    ~Process();  // kills it, if it lives

    int wait();  // exit status; 128 + signal; fails the test after a minute
    void signal(int number) const;
    [[nodiscard]] pid_t pid() const { return pid_; }
    [[nodiscard]] bool alive();
    [[nodiscard]] std::string out() const;
    [[nodiscard]] std::string err() const;
    // Whole lines of the output so far, as JSON.
    [[nodiscard]] std::vector<Json> json() const;

  private:
    std::filesystem::path out_, err_;
    pid_t pid_ = -1;
    int status_ = -1;
};

// Waits at most a minute; fails the test then.
void until(const std::string& what, const std::function<bool()>& holds);

}  // namespace nimes::agent::cli::test
