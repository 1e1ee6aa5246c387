#include "media/omissions.hpp"

#include <algorithm>
#include <memory>

namespace nimes::agent::media {
namespace {

struct Passing {
    File file;
    Omissions omissions;
    std::size_t next = 0;
    std::uint64_t at = 0;

    // Bytes of the file up to the next omission.
    Result<std::size_t> plain(std::span<std::uint8_t> into) {
        if (next < omissions.size()) into = into.first(std::min<std::uint64_t>(into.size(), omissions[next].at - at));
        auto n = file.read(into);
        if (n) at += *n;
        return n;
    }
    std::size_t zeros(std::span<std::uint8_t> into) {
        const auto& here = omissions[next];
        const auto done = at - here.at;
        const auto n = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), here.length - done));
        for (std::size_t i = 0; i < n; ++i)
            into[i] = done + i < here.first.size() && here.length >= here.first.size()
                          ? static_cast<std::uint8_t>(here.first[done + i])
                          : 0;
        at += n;
        return n;
    }
    Result<std::size_t> read(std::span<std::uint8_t> into) {
        std::size_t got = 0;
        while (got < into.size()) {
            const bool omitted = next < omissions.size() && at >= omissions[next].at;
            if (!omitted) {
                const auto n = plain(into.subspan(got));
                if (!n || *n == 0) return n ? Result<std::size_t>(got) : n;
                got += *n;
                continue;
            }
            const auto& here = omissions[next];
            if (here.cut) at = here.at + here.length;
            else got += zeros(into.subspan(got));
            if (at < here.at + here.length) continue;
            ++next;
            if (auto ok = file.seek(at); !ok) return pass(ok);
        }
        return got;
    }
};

}  // namespace

bool is_one_of(const FourLetters& type, std::string_view names) {
    for (std::size_t i = 0; i < names.size(); i += 5)
        if (names.substr(i, 4) == std::string_view(type.data(), type.size())) return true;
    return false;
}

void put_in_order(Omissions& omissions) {
    std::ranges::stable_sort(omissions, {}, &Omission::at);
    Omissions out;
    for (const auto& one : omissions) {
        const bool plain_zeros = !one.cut && one.first == std::array<char, 4>{};
        if (plain_zeros && !out.empty() && !out.back().cut && one.at <= out.back().at + out.back().length)
            out.back().length = std::max(out.back().length, one.at + one.length - out.back().at);
        else out.push_back(one);
    }
    omissions = std::move(out);
}

std::uint64_t length_without(std::uint64_t size, const Omissions& omissions) {
    for (const auto& one : omissions)
        if (one.cut) size -= one.length;
    return size;
}

Result<Source> source_without(const std::filesystem::path& path, Omissions omissions) {
    auto file = File::read(path);
    if (!file) return pass(file);
    auto passing = std::make_shared<Passing>(Passing{std::move(*file), std::move(omissions)});
    return Source([passing](std::span<std::uint8_t> into) { return passing->read(into); });
}

}  // namespace nimes::agent::media
