#include "cli/media_verbs.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <utility>

#include "cli/terminal.hpp"
#include "cli/verb_parts.hpp"
#include "nimes/encoding.hpp"

namespace nimes::agent::cli {
namespace {

// What a child gets of us: standard streams, its own words, and no blocked signal.
class Spawning {
  public:
    explicit Spawning(int standard_input) {
        posix_spawn_file_actions_init(&files_);
        posix_spawn_file_actions_adddup2(&files_, standard_input, STDIN_FILENO);
        posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
        posix_spawnattr_init(&attributes_);
        sigset_t none, standard;
        sigemptyset(&none);
        sigemptyset(&standard);
        sigaddset(&standard, SIGPIPE);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &standard);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    Spawning(const Spawning&) = delete;
    Spawning& operator=(const Spawning&) = delete;
    ~Spawning() {
        posix_spawn_file_actions_destroy(&files_);
        posix_spawnattr_destroy(&attributes_);
    }
    Result<pid_t> start(std::vector<std::string> words) const {
        std::vector<char*> argv;
        for (auto& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        pid_t pid = 0;
        if (::posix_spawnp(&pid, argv[0], &files_, &attributes_, argv.data(), environ) != 0)
            return fail(Errc::usage, "the viewer cannot be started");
        return pid;
    }

  private:
    posix_spawn_file_actions_t files_{};
    posix_spawnattr_t attributes_{};
};

std::uint64_t bytes_of(const std::string& option, std::string_view text) {
    std::uint64_t out = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc{} || at != text.data() + text.size() || out > (std::uint64_t{1} << 62))
        throw CLI::ValidationError(option, "a range is FROM-TO or FROM-, in bytes, counted from 0");
    return out;
}

// "1000-1999" or "1000-".
void put_range(Json& a, const std::string& range) {
    const auto dash = range.find('-');
    if (dash == std::string::npos) throw CLI::ValidationError("--range", "a range is FROM-TO or FROM-");
    const auto from = bytes_of("--range", std::string_view(range).substr(0, dash));
    a["from"] = from;
    if (dash + 1 == range.size()) return;
    const auto to = bytes_of("--range", std::string_view(range).substr(dash + 1));
    if (to < from) throw CLI::ValidationError("--range", "a range does not end before it begins");
    a["length"] = to - from + 1;
}

}  // namespace

Result<MediaOut> MediaOut::open(const CommandLine& line) {
    if (line.viewer.empty() && !line.to_output) return MediaOut(-1, 0);
    ::signal(SIGPIPE, SIG_IGN);  // a viewer that is closed is no reason to die
    if (line.to_output) {
        if (is_terminal(STDOUT_FILENO)) return fail(Errc::usage, "--out - writes bytes, and this is a terminal");
        return MediaOut(::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1), 0);
    }
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return fail(Errc::internal, "no pipe");
    const Spawning spawning(ends[0]);
    const auto viewer = spawning.start(line.viewer);
    ::close(ends[0]);
    MediaOut out(ends[1], viewer.value_or(0));
    if (!viewer) return fail(viewer.error().code, viewer.error().detail);
    return out;
}

MediaOut::MediaOut(MediaOut&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), viewer_(std::exchange(other.viewer_, 0)), over_(other.over_) {}
MediaOut::~MediaOut() { (void)finish(); }

bool MediaOut::take(const Json& line) {
    if (over_ || fd_ < 0) return false;
    auto bytes = from_base64url(line.value("data", ""));
    if (!bytes) return false;
    for (ByteView left = *bytes; !left.empty() && !over_;) {
        const auto n = ::write(fd_, left.data(), left.size());
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) over_ = true;
        else left = left.subspan(static_cast<std::size_t>(n));
    }
    sodium_memzero(bytes->data(), bytes->size());
    return !over_;
}

std::optional<int> MediaOut::finish() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    if (viewer_ == 0) return std::nullopt;
    int status = 0;
    const auto viewer = std::exchange(viewer_, 0);
    while (::waitpid(viewer, &status, 0) < 0)
        if (errno != EINTR) return 1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void add_media(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* media = app.add_subcommand("media", "Photos, videos and files")->require_subcommand(1);
    auto* get =
        verb(*media, line, "get", "media.get", "Fetch and verify a medium; write it out if policy allows", [&line, r] {
            line.to_output = r->out == "-";
            if (line.to_output && line.json)
                throw CLI::ValidationError("--out -", "standard output takes the medium or --json, not both");
            Json a{{"id", r->id}};
            if (line.to_output) a["stream"] = true;
            else a["out"] = absolute(r->out);
            return a;
        });
    get->add_option("ID", r->id, "As inbox and watch show it")->required();
    get->add_option("--out", r->out, "A new file, or - for standard output; without it the medium is only fetched");
    get->footer(
        "It is kept sealed on this device. Where policy does not allow export, --out is refused and nothing is\n"
        "fetched: see nimes-agent media view.\n"
        "Examples:\n  nimes-agent media get 3f0c…e1\n  nimes-agent media get 3f0c…e1 --out tatort.jpg\n"
        "  nimes-agent media get 3f0c…e1 --out - | sha256sum");

    auto* view =
        verb(*media, line, "view", "media.view", "Show a medium in another program, through a pipe", [&line, r] {
            line.viewer = r->viewer;
            Json a{{"id", r->id}};
            if (!r->range.empty()) put_range(a, r->range);
            return a;
        });
    view->add_option("ID", r->id, "As inbox and watch show it")->required();
    view->add_option("PROGRAM", r->viewer, "And its words; it reads the medium from its standard input")->required();
    view->add_option("--range", r->range, "Only these bytes, FROM-TO or FROM-, without fetching the rest");
    view->footer(
        "Nothing is written to the disk by this program; what the viewer does is the viewer's. Policy may forbid it.\n"
        "Each part is verified before the viewer gets it. The exit status is the viewer's.\n"
        "Examples:\n  nimes-agent media view 3f0c…e1 -- feh -\n"
        "  nimes-agent media view 3f0c…e1 -- ffplay -autoexit -i -\n"
        "  nimes-agent media view 3f0c…e1 --range 1000000-1999999 -- xxd");
}

}  // namespace nimes::agent::cli
