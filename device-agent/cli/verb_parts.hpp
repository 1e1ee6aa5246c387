// What every file of verbs is made of: options are read into one Read, a verb turns it into a request.
//
// To add verbs, write a function like those below in a file of its own, and call it in add_verbs().
#pragma once

#include <memory>

#include "cli/verbs.hpp"

namespace nimes::agent::cli {

// What options are read into; lives as long as the command line.
struct Read {
    std::string to, group, text, photo, file, voice, caption, title, id, out, device, audience, query, address, code,
        emoji, question, label, role, expires, length, ends, scanned, roster, range, state, reason = "lost";
    std::vector<std::string> with, who, options, viewer;
    std::vector<std::uint64_t> choices;
    std::uint64_t days = 0, wait_s = 20, since = 0, sequence = 0, accuracy = 0;
    double latitude = 0, longitude = 0;
    bool view_once = false, withdraw = false, recall = false, announce = false, peek = false, original = false,
         small = false, as_it_is = false;
};
using Shared = std::shared_ptr<Read>;

CLI::App* verb(CLI::App& to, CommandLine& line, const char* words, const char* name, const char* help,
               std::function<Json()> arguments);
// Waiting takes at most a day.
CLI::Option* add_wait(CLI::App& to, const Shared& r, const char* help);
// "90s", "15m", "12h", "7d" as seconds; throws CLI::ValidationError for anything else.
std::uint64_t seconds_of(const std::string& option, const std::string& text);
// A text argument: `-` reads standard input.
std::string text_or_input(const std::string& text);
std::string absolute(const std::string& path);

void add_saying(CLI::App& app, CommandLine& line, const Shared& r);   // message_verbs.cpp
void add_groups(CLI::App& app, CommandLine& line, const Shared& r);   // group_verbs.cpp
void add_history(CLI::App& app, CommandLine& line, const Shared& r);  // history_verbs.cpp
void add_media(CLI::App& app, CommandLine& line, const Shared& r);    // media_verbs.cpp
void add_trust(CLI::App& app, CommandLine& line, const Shared& r);    // trust_verbs.cpp
void add_health(CLI::App& app, CommandLine& line, const Shared& r);   // health_verbs.cpp
void add_audit(CLI::App& app, CommandLine& line, const Shared& r);
void add_device_answers(CLI::App& devices, CommandLine& line, const Shared& r);

}  // namespace nimes::agent::cli
