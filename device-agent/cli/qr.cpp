#include "cli/qr.hpp"

#include <qrencode.h>

#include <memory>

namespace nimes::agent::cli {
namespace {

constexpr int kQuiet = 2;  // modules of margin

}  // namespace

std::string qr_text(const std::string& text) {
    const std::unique_ptr<QRcode, decltype(&QRcode_free)> code(
        QRcode_encodeString(text.c_str(), 0, QR_ECLEVEL_M, QR_MODE_8, 1), &QRcode_free);
    if (text.empty() || !code) return {};
    const auto width = code->width;
    const auto dark = [&](int x, int y) {
        const bool inside = x >= 0 && y >= 0 && x < width && y < width;
        return inside && (code->data[y * width + x] & 1) != 0;
    };
    std::string out;
    for (int y = -kQuiet; y < width + kQuiet; y += 2) {
        out += "\x1b[30;47m";  // whatever colours the terminal has
        for (int x = -kQuiet; x < width + kQuiet; ++x) {
            const bool upper = dark(x, y), lower = dark(x, y + 1);
            out += upper && lower ? "█" : upper ? "▀" : lower ? "▄" : " ";
        }
        out += "\x1b[0m\n";
    }
    return out;
}

}  // namespace nimes::agent::cli
