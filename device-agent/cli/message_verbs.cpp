// Verbs that say something.
#include "cli/verb_parts.hpp"
#include "nimes/time.hpp"

namespace nimes::agent::cli {
namespace {

void put_life(Json& a, const Shared& r) {
    if (!r->expires.empty()) a["expires_s"] = seconds_of("--expires", r->expires);
    if (r->view_once) a["view_once"] = true;
}

void add_life(CLI::App& to, const Shared& r) {
    to.add_option("--expires", r->expires, "It vanishes this long after it was first shown: 90s, 15m, 12h, 7d");
    to.add_flag("--view-once", r->view_once, "It vanishes once it was shown");
}

// Exactly one of --to and --group.
std::string place(const Shared& r) {
    if (r->to.empty() && r->group.empty()) throw CLI::RequiredError("--to or --group");
    return r->group.empty() ? r->to : r->group;
}

void add_place(CLI::App& to, const Shared& r) {
    auto* person = to.add_option("--to", r->to, "Whom: 'Meyer, Celle', an address, or a group's title");
    to.add_option("--group", r->group, "A group's title")->excludes(person);
}

CLI::App* about(CLI::App& app, CommandLine& line, const Shared& r, const char* name, const char* help,
                const std::function<void(Json&)>& more) {
    auto* out = verb(app, line, name, name, help, [r, more] {
        Json a{{"sequence", r->sequence}, {"wait_ms", r->wait_s * 1'000}};
        more(a);
        return a;
    });
    out->add_option("NUMBER", r->sequence, "Of the message, as inbox and watch show it")->required();
    add_wait(*out, r, "Seconds to wait for the gateway's word; then it stays in the outbox");
    return out;
}

Json send_arguments(const Shared& r) {
    Json a{{"to", place(r)}, {"wait_ms", r->wait_s * 1'000}};
    const auto& file = !r->photo.empty() ? r->photo : !r->voice.empty() ? r->voice : r->file;
    if (r->text.empty() == file.empty())
        throw CLI::ValidationError("send", "give a TEXT, or one of --photo, --voice and --file");
    if (file.empty() && !r->caption.empty())
        throw CLI::ValidationError("--caption", "a text has none: give --photo or --file");
    put_life(a, r);
    if (file.empty()) {
        a["text"] = text_or_input(r->text);
        return a;
    }
    a["file"] = absolute(file);
    a["caption"] = r->caption;
    if (r->original || r->small) a["variant"] = r->original ? "original" : "small";
    if (r->as_it_is) a["as_it_is"] = true;
    if (!r->voice.empty()) a["media_type"] = "audio/ogg";
    if (!r->length.empty()) a["duration_ms"] = seconds_of("--length", r->length) * 1'000;
    return a;
}

void add_send(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* send = verb(app, line, "send", "send", "Send a text, a photo, a video, a voice message or a file",
                      [r] { return send_arguments(r); });
    add_place(*send, r);
    send->add_option("TEXT", r->text, "The text; - reads standard input");
    auto* photo = send->add_option("--photo", r->photo, "A JPEG: position and camera data are taken out")
                      ->check(CLI::ExistingFile);
    auto* original = send->add_flag("--original", r->original, "The photo as it is, however slow the network");
    send->add_flag("--small", r->small, "The photo with at most 1,600 pixels a side, however fast")->excludes(original);
    auto* file =
        send->add_option("--file", r->file,
                         "A file or video: out of MP4, MOV, HEIC, AVIF, PNG and WebP position and camera "
                         "data are taken, other files go as they are; a video with a frame to show, if ffmpeg is here")
            ->check(CLI::ExistingFile);
    auto* voice = send->add_option("--voice", r->voice, "A voice message (Ogg)")->check(CLI::ExistingFile);
    photo->excludes(file)->excludes(voice);
    file->excludes(voice);
    auto* length = send->add_option("--length", r->length, "How long a voice message or video is: 12s, 3m");
    voice->needs(length);
    send->add_flag("--as-it-is", r->as_it_is, "Byte for byte, with position and all that its maker wrote into it");
    send->add_option("--caption", r->caption, "What the photo or file shows");
    add_life(*send, r);
    add_wait(*send, r, "Seconds to wait for the gateway's word; then it stays in the outbox");
    send->footer(
        "Examples:\n  nimes-agent send --to 'Meyer, Celle' 'Bin vor Ort'\n"
        "  nimes-agent send --group 'Streife Nord' - < lage.txt\n"
        "  nimes-agent send --to a.meyer@polizei.example --photo tatort.jpg --caption 'von vorn'\n"
        "  nimes-agent send --group 'Streife Nord' --voice funk.ogg --length 12s\n"
        "  nimes-agent send --to 'Meyer, Celle' --file brand.mp4 --caption 'vom Dach aus'\n"
        "A photo that would take more than half a minute at the rate that was measured goes smaller, and it says so.");
}

void add_answers(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* reply = about(app, line, r, "reply", "Answer a message", [r](Json& a) {
        a["text"] = text_or_input(r->text);
        put_life(a, r);
    });
    reply->add_option("TEXT", r->text, "The text; - reads standard input")->required();
    add_life(*reply, r);
    reply->footer("Example:\n  nimes-agent reply 41 'Bin in 5 Minuten da'");

    auto* react = about(app, line, r, "react", "React to a message with an emoji", [r](Json& a) {
        if (r->emoji.empty() && !r->withdraw) throw CLI::RequiredError("EMOJI");
        a["emoji"] = r->emoji;
        a["withdraw"] = r->withdraw;
    });
    react->add_option("EMOJI", r->emoji, "For example \xf0\x9f\x91\x8d");
    react->add_flag("--withdraw", r->withdraw, "Take the reaction back");
    react->footer("Examples:\n  nimes-agent react 41 \xf0\x9f\x91\x8d\n  nimes-agent react 41 --withdraw");

    auto* edit = about(app, line, r, "edit", "Change a text or caption of yours",
                       [r](Json& a) { a["text"] = text_or_input(r->text); });
    edit->add_option("TEXT", r->text, "The new text; - reads standard input")->required();
    edit->footer("Example:\n  nimes-agent edit 42 'Gänsemarkt, nicht Rathausmarkt'");

    auto* gone = about(app, line, r, "delete", "Delete a message for all; administrators of a group may delete any",
                       [r](Json& a) { a["recall"] = r->recall; });
    gone->add_flag("--recall", r->recall, "Every device says what became of it; --wait is for their answers, too");
    gone->footer(
        "A photo or file goes from the server and from every device, with its key and preview. A device that is "
        "offline\n"
        "erases it before it shows it; nimes-agent show NUMBER tells what came of a recall since.\n"
        "Examples:\n  nimes-agent delete 42\n  nimes-agent delete 42 --recall --wait 5");
}

void add_polls(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* poll = verb(app, line, "poll", "poll", "Ask a question with options to choose from", [r] {
        Json a{{"to", place(r)}, {"question", r->question}, {"options", r->options}, {"wait_ms", r->wait_s * 1'000}};
        if (!r->ends.empty()) a["ends_ms"] = SystemClock().now() + seconds_of("--ends", r->ends) * 1'000;
        return a;
    });
    add_place(*poll, r);
    poll->add_option("QUESTION", r->question, "What is asked")->required();
    poll->add_option("--option", r->options, "One answer; repeat it")
        ->required()
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    poll->add_option("--ends", r->ends, "Votes count until then: 15m, 12h, 7d");
    add_wait(*poll, r, "Seconds to wait for the gateway's word");
    poll->footer(
        "Example:\n  nimes-agent poll --group 'Streife Nord' 'Wer \xc3\xbc"
        "bernimmt Samstag?' --option Anna --option Bernd "
        "--ends 12h");

    auto* vote = about(app, line, r, "vote", "Vote in a poll; your last vote counts", [r](Json& a) {
        if (r->choices.empty() && !r->withdraw) throw CLI::RequiredError("OPTION");
        a["choices"] = r->choices;
    });
    vote->add_option("OPTION", r->choices, "Numbers of the options, as the poll shows them");
    vote->add_flag("--withdraw", r->withdraw, "Take the vote back");
    vote->footer("Example:\n  nimes-agent vote 43 2");
}

void add_presence(CLI::App& app, CommandLine& line, const Shared& r) {
    auto* position = verb(app, line, "position", "position", "Send a position; nothing is ever sent by itself", [r] {
        return Json{{"to", place(r)},
                    {"latitude", r->latitude},
                    {"longitude", r->longitude},
                    {"accuracy_m", r->accuracy},
                    {"label", r->label},
                    {"wait_ms", r->wait_s * 1'000}};
    });
    add_place(*position, r);
    position->add_option("LATITUDE", r->latitude, "Degrees, north is positive")
        ->required()
        ->check(CLI::Range(-90.0, 90.0));
    position->add_option("LONGITUDE", r->longitude, "Degrees, east is positive")
        ->required()
        ->check(CLI::Range(-180.0, 180.0));
    position->add_option("--accuracy", r->accuracy, "Metres");
    position->add_option("--label", r->label, "What is there");
    add_wait(*position, r, "Seconds to wait for the gateway's word");
    position->footer("Example:\n  nimes-agent position --group 'Streife Nord' 52.6226 10.0805 --label 'Treffpunkt'");

    auto* typing = verb(app, line, "typing", "typing", "Show that you are writing; kept nowhere", [r] {
        return Json{{"to", place(r)}};
    });
    add_place(*typing, r);
    typing->footer("Example:\n  nimes-agent typing --to 'Meyer, Celle'");
}

}  // namespace

void add_saying(CLI::App& app, CommandLine& line, const Shared& r) {
    add_send(app, line, r);
    add_answers(app, line, r);
    add_polls(app, line, r);
    add_presence(app, line, r);
}

}  // namespace nimes::agent::cli
