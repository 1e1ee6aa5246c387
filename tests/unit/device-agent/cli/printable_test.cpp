#include "cli/printable.hpp"

#include <catch2/catch.hpp>

using namespace nimes::agent::cli;

TEST_CASE("words stay as they are") {
    CHECK(printable("Grüße, Müller-Lüdenscheidt 👮 „so“") == "Grüße, Müller-Lüdenscheidt 👮 „so“");
    CHECK(printable("").empty());
}

TEST_CASE("nothing that steers a terminal, nor turns the direction of writing") {
    CHECK(printable("\x1b[2J\x07\t\r\x7f") == "?[2J????");
    CHECK(printable("a\xc2\x9b"
                    "2Jb") == "a?2Jb");  // CSI as one character
    CHECK(printable("a\xe2\x80\xae"
                    "b\xe2\x81\xa6"
                    "c") == "a?b?c");  // RLO, LRI
    CHECK(printable("a\xe2\x80\xa8"
                    "b") == "a?b");  // a line separator
}

TEST_CASE("bytes that are no UTF-8 are shown as such") {
    CHECK(printable("\x9b"
                    "x") == "?x");
    CHECK(printable("x\xc3") == "x?");
    CHECK(printable("\xe2\x80") == "??");
    CHECK(printable("\xc0\xaf") == "??");            // overlong
    CHECK(printable("\xed\xa0\x80") == "???");       // a surrogate
    CHECK(printable("\xf4\x90\x80\x80") == "????");  // beyond Unicode
}

TEST_CASE("a line end in a name is none; in a text what follows is set in, so that it cannot pose as a line of ours") {
    CHECK(printable("a\nb") == "a?b");
    CHECK(printable_text("a\nb\r\nc") == "a\n    b\n    c");
    CHECK(printable_text("a\x1b\n") == "a?\n    ");
}
