// What a device sends: whatever the bytes, a command that is taken in holds what its form promises.
#include <cstdlib>

#include "mailbox/ingest.hpp"

using namespace nimes;
using namespace nimes::gateway::mailbox;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto sender = DeviceId::from(Bytes(DeviceId::size, 7));
    const auto decoded = decode_up(sender, {data, size});
    const auto* command = std::get_if<Command>(&decoded);
    if (command == nullptr) return 0;
    const auto* submit = std::get_if<Submit>(command);
    if (submit == nullptr) return 0;
    if (submit->media.size() > 16 || submit->pair.size() > 2) std::abort();
    if (submit->kind == Payload::grant && GrantUpload::parse(submit->payload)->header.device != sender) std::abort();
    if (submit->kind == Payload::event && ConvEvent::parse(submit->payload)->actor_device != sender) std::abort();
    if (submit->kind == Payload::message && !WireMessage::parse(submit->payload)) std::abort();
    return 0;
}
