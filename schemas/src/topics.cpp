#include "nimes/topics.hpp"

namespace nimes::topic {

Result<DeviceId> device_of_up(std::string_view topic) {
    constexpr std::size_t kDevice = 26;
    if (topic.size() != 2 + kDevice + 3 || !topic.starts_with("n/") || !topic.ends_with("/up"))
        return fail(Errc::malformed, "not the topic of a device");
    return device_from_text(topic.substr(2, kDevice));
}

}  // namespace nimes::topic
