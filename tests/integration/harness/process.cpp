#include "harness/process.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace nimes::test {
namespace {

std::vector<char*> pointers(std::vector<std::string>& words) {
    std::vector<char*> out;
    for (auto& word : words) out.push_back(word.data());
    out.push_back(nullptr);
    return out;
}

sockaddr_in local(std::uint16_t port) {
    sockaddr_in out{};
    out.sin_family = AF_INET;
    out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    out.sin_port = htons(port);
    return out;
}

struct Socket {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    Socket() = default;
    ~Socket() { close(fd); }
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
};

}  // namespace

TempDir::TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "nimes-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
}
TempDir::~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Process::Process(const std::vector<std::string>& command, const std::filesystem::path& log,
                 const std::vector<std::string>& environment) {
    auto words = command;
    auto variables = environment;
    for (char** at = environ; *at != nullptr; ++at) variables.emplace_back(*at);
    const auto argv = pointers(words);
    const auto envp = pointers(variables);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (out < 0) throw std::runtime_error("cannot write " + log.string());
    const auto parent = getpid();
    pid_ = fork();
    if (pid_ == 0) {  // only what is safe between fork and exec
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent) _exit(126);
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        execvpe(argv[0], argv.data(), envp.data());
        _exit(127);
    }
    close(out);
    if (pid_ < 0) throw std::runtime_error("cannot start " + command.front());
}

Process::~Process() {
    if (ended_) return;
    signal(SIGKILL);
    wait();
}

bool Process::alive() {
    if (!ended_) ended_ = waitpid(pid_, &status_, WNOHANG) == pid_;
    return !ended_;
}

void Process::signal(int number) const {
    if (!ended_) kill(pid_, number);
}

std::chrono::milliseconds Process::cpu() const {
    const auto stat = read_text("/proc/" + std::to_string(pid_) + "/stat");
    std::istringstream fields(stat.substr(std::min(stat.rfind(')'), stat.size() - 1) + 1));  // behind the name
    std::string skipped;
    for (int i = 3; i < 14; ++i) fields >> skipped;
    long user = 0, kernel = 0;
    fields >> user >> kernel;
    return std::chrono::milliseconds((user + kernel) * 1'000 / sysconf(_SC_CLK_TCK));
}

int Process::wait() {
    if (!ended_) ended_ = waitpid(pid_, &status_, 0) == pid_;
    return status_;
}

void run(const std::vector<std::string>& command, const std::filesystem::path& log) {
    Process process(command, log);
    const int status = process.wait();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw std::runtime_error(command.front() + " failed: " + read_text(log));
}

std::uint16_t free_port() {
    const Socket holder;
    auto at = local(0);
    socklen_t size = sizeof at;
    if (bind(holder.fd, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
        getsockname(holder.fd, reinterpret_cast<sockaddr*>(&at), &size) != 0)
        throw std::runtime_error("no free port");
    return ntohs(at.sin_port);
}

bool answers(std::uint16_t port) {
    const Socket caller;
    const auto at = local(port);
    return connect(caller.fd, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0;
}

std::string read_text(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

bool soon(const std::function<bool()>& condition) {
    for (int i = 0; i < 3'000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
}

}  // namespace nimes::test
