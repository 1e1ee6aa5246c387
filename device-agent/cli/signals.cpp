#include "cli/signals.hpp"

#include <unistd.h>

namespace nimes::agent::cli {

Signals::Signals() {
    sigemptyset(&set_);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&set_, number);
    pthread_sigmask(SIG_BLOCK, &set_, nullptr);
    signal(SIGPIPE, SIG_IGN);
    thread_ = std::thread([this] { wait(); });
}

Signals::~Signals() {
    over_ = true;
    pthread_kill(thread_.native_handle(), SIGUSR1);
    thread_.join();
}

void Signals::wait() {
    int number = 0;
    while (sigwait(&set_, &number) == 0) {
        if (over_) return;
        if (number == SIGUSR1) continue;
        if (came_.exchange(true)) ::_exit(kExit);  // whoever asks twice does not want to wait for what is under way
        stop_.request_stop();
    }
}

}  // namespace nimes::agent::cli
