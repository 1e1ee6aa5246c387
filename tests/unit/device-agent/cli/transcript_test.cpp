// What people read: help that teaches, errors with a hint and their status, and others' words that cannot pose as ours.
#include <signal.h>

#include <catch2/catch.hpp>

#include "process.hpp"

using namespace nimes::agent::cli::test;

namespace {

using Words = std::vector<std::string>;
const Process::How kPlain{"richtig", "", false};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("help of the program and of each verb teaches with an example") {
    const Home home;
    const auto verb =
        GENERATE(Words{}, Words{"enrol"}, Words{"people"}, Words{"send"}, Words{"reply"}, Words{"react"}, Words{"edit"},
                 Words{"delete"}, Words{"poll"}, Words{"vote"}, Words{"position"}, Words{"typing"}, Words{"show"},
                 Words{"group", "add"}, Words{"group", "remove"}, Words{"group", "role"}, Words{"group", "set"},
                 Words{"group"}, Words{"group", "create"}, Words{"inbox"}, Words{"watch"}, Words{"media", "get"},
                 Words{"devices"}, Words{"devices", "vouch"}, Words{"devices", "confirm"}, Words{"devices", "revoke"},
                 Words{"verify"}, Words{"token"}, Words{"status"});
    auto words = verb;
    words.emplace_back("--help");
    Process help(home, words, kPlain);
    CHECK(help.wait() == 0);
    CHECK(help.err().empty());
    CHECK(has(help.out(), "\nUsage: nimes-agent"));
    std::string example = "\n  nimes-agent";
    for (const auto& word : verb) example += " " + word;
    INFO(help.out());
    CHECK(has(help.out(), example));
}

TEST_CASE("--version says which program, and which version of it") {
    const Home home;
    Process version(home, {"--version"}, kPlain);
    CHECK(version.wait() == 0);
    CHECK(version.out() == "nimes-agent 9.8.7\n");
}

TEST_CASE("a wrong command line: what is wrong, where help is, status 2") {
    const Home home;
    struct Case {
        Words words;
        std::string error, hint;
    };
    const auto c =
        GENERATE(Case{{}, "A subcommand is required", "nimes-agent --help"},
                 Case{{"wave"}, "nothing is called wave", "nimes-agent --help"},
                 Case{{"send", "text"}, "--to", "nimes-agent send --help"},
                 Case{{"send", "--to", "A"}, "a TEXT, or one of --photo", "nimes-agent send --help"},
                 Case{{"send", "--to", "A", "--group", "B", "x"}, "--group", "nimes-agent send --help"},
                 Case{{"send", "--to", "A", "--caption", "c", "x"}, "--photo", "nimes-agent send --help"},
                 Case{{"send", "--to", "A", "--wait", "99999999", "x"}, "--wait", "nimes-agent send --help"},
                 Case{{"reply", "41"}, "TEXT", "nimes-agent reply --help"},
                 Case{{"react", "41"}, "EMOJI", "nimes-agent react --help"},
                 Case{{"vote", "41"}, "OPTION", "nimes-agent vote --help"},
                 Case{{"send", "--to", "A", "--expires", "soon", "x"}, "90s", "nimes-agent send --help"},
                 Case{{"position", "--to", "A", "91", "10"}, "LATITUDE", "nimes-agent position --help"},
                 Case{{"group", "add", "G"}, "WHO", "nimes-agent group add --help"},
                 Case{{"group", "role", "G", "A", "--role", "king"}, "--role", "nimes-agent group role --help"},
                 Case{{"group"}, "A subcommand is required", "nimes-agent group --help"},
                 Case{{"devices", "vouch"}, "DEVICE", "nimes-agent devices vouch --help"});
    Process wrong(home, c.words, kPlain);
    CHECK(wrong.wait() == 2);
    CHECK(wrong.out().empty());
    INFO(wrong.err());
    CHECK(wrong.err().starts_with("nimes-agent: error: the command line is wrong: "));
    CHECK(has(wrong.err(), c.error));
    CHECK(has(wrong.err(), "nimes-agent: hint: see " + c.hint + "\n"));
}

TEST_CASE("an error of the service: title, detail, hint, and the status of its row") {
    const Home home;
    Process nobody(home, {"people", "Nobody"}, kPlain);
    CHECK(nobody.wait() == 9);
    CHECK(nobody.out().empty());
    CHECK(nobody.err() ==
          "nimes-agent: error: nothing of that name: nobody of that name or address\n"
          "nimes-agent: hint: check the spelling: nimes-agent people NAME\n");
    Process refused(home, {"send", "--to", "Meyer", "refuse"}, kPlain);
    CHECK(refused.wait() == 6);
}

TEST_CASE("send says what went to whom, or that it waits in the outbox") {
    const Home home;
    Process sent(home, {"send", "--to", "Meyer, Celle", "hier"}, kPlain);
    CHECK(sent.wait() == 0);
    CHECK(sent.out() == "sent to Meyer, Celle; sealed for 2 devices\n");
    Process later(home, {"send", "--to", "Meyer, Celle", "later"}, kPlain);
    CHECK(later.wait() == 5);
    CHECK(later.out() == "in the outbox for Meyer, Celle; sealed for 2 devices\n");
    CHECK(has(later.err(), "nimes-agent: hint: "));
}

TEST_CASE("a text from standard input") {
    const Home home;
    Process sent(home, {"send", "--to", "Meyer", "-"}, {"richtig", "getippt", true});
    CHECK(sent.wait() == 0);
    CHECK(home.lines("sent").at(0).substr(33) == "getippt");
}

TEST_CASE("flags of the program may stand behind the verb") {
    const Home home;
    Process sent(home, {"send", "--to", "Meyer", "hier", "--json"}, kPlain);
    CHECK(sent.wait() == 0);
    CHECK(sent.json().at(0).at("accepted") == true);
}

TEST_CASE("devices alone lists them") {
    const Home home;
    Process devices(home, {"devices"}, kPlain);
    CHECK(devices.wait() == 0);
    CHECK(devices.out() == "abcdefghijklmnopqrstuvwxyz  active  this device\n");
}

TEST_CASE("escape sequences of others never reach the terminal") {
    const Home home;
    Process people(home, {"people", "Meyer"}, kPlain);
    CHECK(people.wait() == 0);
    CHECK(people.out() == "Meyer, POK, Celle?[2J  <a@b.example>\n");
}

TEST_CASE("enrol asks for the code and goes on with it; --no-input asks nothing") {
    const Home home;
    home.write("file", "provisioning");
    const Words enrol{"enrol", "--provisioning", (home.path() / "file").string(), "a@b.example"};
    Process typed(home, enrol, {"richtig", "123456\n", false});
    CHECK(typed.wait() == 0);
    CHECK(typed.out() == "enrolled: device abcdefghijklmnopqrstuvwxyz\n");
    CHECK(has(typed.err(), "Code: "));
    Process wrong(home, enrol, {"richtig", "1\n", false});
    CHECK(wrong.wait() == 6);
    Process silent(home, enrol, kPlain);
    CHECK(silent.wait() == 2);
    auto no_input = enrol;
    no_input.insert(no_input.begin(), "--no-input");
    Process asked_for_none(home, no_input, {"richtig", "123456\n", false});
    CHECK(asked_for_none.wait() == 2);
    CHECK(has(asked_for_none.err(), "--code"));
    CHECK(!has(asked_for_none.err(), "Code: "));
}

TEST_CASE("Ctrl-C is status 130, also while another process does the work") {
    const Home home;
    home.write("hold");
    Process owner(home, {"send", "--to", "Meyer", "held"});
    until("the owner sends", [&] { return home.lines("begun").size() == 1; });
    Process client(home, {"send", "--to", "Meyer", "held"});
    until("the client's send is with the owner", [&] { return home.lines("begun").size() == 2; });
    client.signal(SIGINT);
    CHECK(client.wait() == 130);
    CHECK(owner.alive());
    owner.signal(SIGINT);
    owner.signal(SIGINT);  // the same signal twice may be one; a third is another
    owner.signal(SIGTERM);
    CHECK(owner.wait() == 130);
}
