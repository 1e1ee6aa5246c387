#include "store/rocksdb_log.hpp"

#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <sstream>

#include "folder.hpp"
#include "store/rocksdb_dump.hpp"

using namespace nimes::gateway::store;
using folders::Folder;

namespace {

std::string text_of(const std::filesystem::path& file) {
    std::stringstream out;
    out << std::ifstream(file).rdbuf();
    return out.str();
}

// While it lives, no file of this process grows beyond some bytes.
class NoRoom {
  public:
    explicit NoRoom(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
        ::getrlimit(RLIMIT_FSIZE, &before_);
        const rlimit less{bytes, before_.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &less);
    }
    ~NoRoom() {
        ::setrlimit(RLIMIT_FSIZE, &before_);
        std::signal(SIGXFSZ, signal_);
    }
    NoRoom(const NoRoom&) = delete;
    NoRoom& operator=(const NoRoom&) = delete;

  private:
    rlimit before_{};
    void (*signal_)(int);
};

}  // namespace

TEST_CASE("a line of RocksDB's log has its time, its level and one end", "[store]") {
    const Folder folder;
    const auto log = rocksdb_log(folder.path);
    rocksdb::Warn(log, "file %d\n", 7);
    rocksdb::Info(log, "%s\n", std::string(20'000, 'x').c_str());
    rocksdb::Info(log, "%s", std::string(100'000, 'y').c_str());
    std::istringstream lines(text_of(folder.path / "LOG"));
    std::string first, second, third, fourth;
    for (auto* line : {&first, &second, &third}) std::getline(lines, *line);
    CHECK(first.substr(4, 1) == "-");
    CHECK(first.ends_with("Z [WARN] file 7"));
    CHECK(second.ends_with(" " + std::string(20'000, 'x')));
    CHECK(third.ends_with(" " + std::string(65'536, 'y')));
    CHECK_FALSE(std::getline(lines, fourth));
}

TEST_CASE("lines for which the disk has no room are dropped, those after them are not", "[store]") {
    const Folder folder;
    const auto log = rocksdb_log(folder.path);
    rocksdb::Info(log, "before");
    {
        const NoRoom full(std::filesystem::file_size(folder.path / "LOG"));
        for (int i = 0; i < 3; ++i) rocksdb::Info(log, "lost");
    }
    rocksdb::Info(log, "after");
    const auto text = text_of(folder.path / "LOG");
    CHECK(text.find("before\n") != std::string::npos);
    CHECK(text.find("lost") == std::string::npos);
    CHECK(text.ends_with("after\n"));
}

TEST_CASE("RocksDB's log is bounded, and the one before it is kept", "[store]") {
    const Folder folder;
    {
        const auto log = rocksdb_log(folder.path, 10'000);
        for (int i = 0; i < 1000; ++i) rocksdb::Info(log, "line %d", i);
    }
    CHECK(std::filesystem::file_size(folder.path / "LOG") <= 10'000);
    CHECK(std::filesystem::file_size(folder.path / "LOG.old") <= 10'000);
    const auto before = text_of(folder.path / "LOG");
    CHECK(before.ends_with("line 999\n"));
    rocksdb::Info(rocksdb_log(folder.path, 10'000), "next");
    const auto after = text_of(folder.path / "LOG");
    CHECK(after.starts_with(before));
    CHECK(after.ends_with("next\n"));
    const auto old = text_of(folder.path / "LOG.old");
    const auto last = std::stoi(old.substr(old.rfind(' ')));
    CHECK(before.find("line " + std::to_string(last + 1) + "\n") < 50);  // none is lost between the two
}

TEST_CASE("RocksDB's log is bounded also where the one before it cannot be kept", "[store]") {
    const Folder folder;
    std::filesystem::create_directories(folder.path / "LOG.old" / "in the way");
    const auto log = rocksdb_log(folder.path, 10'000);
    for (int i = 0; i < 1000; ++i) rocksdb::Info(log, "line %d", i);
    CHECK(std::filesystem::file_size(folder.path / "LOG") <= 10'000);
    CHECK(text_of(folder.path / "LOG").ends_with("line 999\n"));
}

TEST_CASE("a log that cannot be opened costs nothing but itself, and is tried again", "[store]") {
    const Folder folder;
    const auto log = rocksdb_log(folder.path / "missing");
    rocksdb::Info(log, "nowhere");
    CHECK_FALSE(std::filesystem::exists(folder.path / "missing"));
    std::filesystem::create_directory(folder.path / "missing");
    rocksdb::Info(log, "there now");
    CHECK(text_of(folder.path / "missing" / "LOG").ends_with("there now\n"));
}

TEST_CASE("an open store writes its log, and who only reads it leaves that alone", "[store]") {
    const Folder folder;
    const auto path = folder.path / "store";
    const auto store = folders::open(path);
    const auto before = text_of(path / "LOG");
    CHECK(before.find("RocksDB version") != std::string::npos);
    REQUIRE(visit_all(path, [](auto, auto, auto) { return true; }));
    CHECK(text_of(path / "LOG").rfind("RocksDB version") == before.find("RocksDB version"));
    for (const auto& file : std::filesystem::directory_iterator(path))
        CHECK_FALSE(file.path().filename().string().starts_with("LOG.old"));
}
