// How a partition and a key become one RocksDB key (LAYOUT.md): the name with every 00 written as 00 ff, ended by 00
// 01, then the key as it is. So partitions sort by name and the keys of one stand together. Pure; thread safe.
#pragma once

#include <string>
#include <string_view>

namespace nimes::gateway::store {

inline std::string partition_prefix(std::string_view name) {
    std::string out;
    for (const char c : name) {
        out.push_back(c);
        if (c == '\0') out.push_back('\xff');
    }
    out += std::string_view("\0\1", 2);
    return out;
}

// The first key behind every key of the partition.
inline std::string partition_end(std::string_view name) {
    auto out = partition_prefix(name);
    out.back() = '\2';
    return out;
}

// The partition's name of a whole key; the rest of it in *key if asked for.
inline std::string partition_name(std::string_view whole, std::string_view* key = nullptr) {
    std::string out;
    for (std::size_t i = 0; i < whole.size(); ++i) {
        if (whole[i] != '\0') {
            out.push_back(whole[i]);
        } else if (i + 1 < whole.size() && whole[i + 1] == '\xff') {
            out.push_back('\0');
            ++i;
        } else {
            if (key != nullptr) *key = whole.substr(i + 2 < whole.size() ? i + 2 : whole.size());
            break;
        }
    }
    return out;
}

}  // namespace nimes::gateway::store
