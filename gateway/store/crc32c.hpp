// RocksDB's checksum, CRC-32C (RFC 3720, B.4), by the processor's instruction.
//
// Debian builds RocksDB for every x86-64, and then it goes by tables: a third of the CPU time of an upload, whose bytes
// are summed twice. But it calls rocksdb::crc32c::Extend() through the table of dynamic symbols, where a program's own
// function comes first; crc32c.cpp defines one, by Intel's ISA-L, which chooses at run time what the processor has.
// Where the linker does it otherwise, RocksDB's own serves as before.
#pragma once

#include "nimes/bytes.hpp"

namespace nimes::gateway::store {

// By the function that RocksDB calls. A program that calls this has it linked in.
std::uint32_t crc32c(ByteView bytes);
// Whether it sums as the RFC says, on this processor and over more than ISA-L's shortest pieces: with another sum no
// file of earlier days could be read.
bool crc32c_fits();

}  // namespace nimes::gateway::store
