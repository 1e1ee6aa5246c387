// The real Mosquitto with the real plugin, configured by broker-plugins/identity/mosquitto.conf.example.
//
// Only what differs between machines (port, paths, keys) is replaced in the example, so the example is tested with
// everything else. A certificate of a CA of its own; the port is the kernel's. With NIMES_VALGRIND naming a folder the
// broker runs under memcheck, which reports there. Threads: one. Errors: std::runtime_error.
#pragma once

#include <map>
#include <memory>
#include <optional>

#include "harness/process.hpp"
#include "nimes/crypto.hpp"

namespace nimes::test {

class Broker {
  public:
    static constexpr const char* kName = "edge-1";
    static constexpr const char* kOrganisation = "polizei-test";

    Broker(const PublicKey& directory_key, const PublicKey& gateway_key);
    ~Broker();
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    // Back when it answers. Again after stop() or crash(): the same port, the same files.
    void start();
    void stop();   // SIGTERM: says good-bye to its clients
    void crash();  // kill -9
    void reload();
    void pause();  // it stands still, its connections stay
    void resume();
    // From its next start on the broker has a clock of its own (moved_clock.cpp), which ahead() sets against ours: that
    // of the wall alone, or also the one by which silent connections end.
    enum class Clocks { wall, all };
    void own_clock(Clocks which);
    void ahead(std::chrono::seconds by) const;
    [[nodiscard]] std::chrono::milliseconds cpu() const { return process_->cpu(); }
    [[nodiscard]] bool alive() { return process_ && process_->alive(); }

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] std::string url() const { return "mqtts://127.0.0.1:" + std::to_string(port_); }
    [[nodiscard]] std::filesystem::path ca() const { return folder_.path() / "certificates/ca.crt"; }
    [[nodiscard]] std::filesystem::path snapshot() const { return folder_.path() / "mirror"; }
    [[nodiscard]] std::string log() const { return read_text(folder_.path() / "log"); }
    // How often the plugin refused for each reason, as its log says so far.
    [[nodiscard]] std::map<std::string, int> refusals() const;

  private:
    [[nodiscard]] std::vector<std::string> environment() const;
    void configure(const PublicKey& directory_key, const PublicKey& gateway_key) const;

    const TempDir folder_;
    const std::uint16_t port_ = free_port();
    std::optional<Clocks> clocks_;
    std::unique_ptr<Process> process_;
};

}  // namespace nimes::test
