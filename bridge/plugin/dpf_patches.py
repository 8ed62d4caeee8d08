"""What the build changes in DPF 1.6: where its hosts' side loses what the plugin must know, or floods a host."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Patch:
    """A passage of a file of DPF, and what stands there instead."""

    file: str
    old: str
    new: str


_VST: Final = "src/DistrhoPluginVST.hpp"
_PLUGIN: Final = "src/DistrhoPluginInternal.hpp"
_VST3: Final = "src/DistrhoPluginVST3.cpp"
_CLAP: Final = "src/DistrhoPluginCLAP.cpp"
_DECLARED: Final = "extern void ghostnoteSetOffline(void* plugin, bool offline);\n"

PATCHES: Final = (
    # 2080 hidden parameters, one for each controller of each channel, take hosts seconds to load. Three are used.
    Patch(_VST, "kVst3InternalParameterMidiCC_start + 130*16", "kVst3InternalParameterMidiCC_start + 3"),
    Patch(
        _VST3,
        "        paramId -= kVst3InternalParameterMidiCC_start;\n\n            const uint8_t cc = paramId % 130;",
        "        static constexpr uint8_t used[3] = {4, 120, 128};\n"
        "            const uint8_t cc = used[paramId - kVst3InternalParameterMidiCC_start];",
    ),
    Patch(_VST3, "eventStorage.midi[0] = paramId / 130;", "eventStorage.midi[0] = 0;"),
    Patch(
        _VST3,
        "        *id = kVst3InternalParameterMidiCC_start + channel * 130 + cc;\n        return V3_TRUE;",
        "        const int used = cc == 4 ? 0 : cc == 120 ? 1 : cc == 128 ? 2 : -1;\n"
        "        if (used >= 0) *id = kVst3InternalParameterMidiCC_start + used;\n"
        "        return used >= 0 ? V3_TRUE : V3_FALSE;",
    ),
    Patch(
        _VST3,
        'snprintf(ccstr, sizeof(ccstr), "MIDI Ch. %d CC %d", static_cast<uint8_t>(index / 130) + 1, index % 130);',
        'snprintf(ccstr, sizeof(ccstr), "MIDI %s", index == 0 ? "Pedal" : index == 1 ? "Sound off" : "Pressure");',
    ),
    Patch(_VST3, 'snprintf(ccstr, sizeof(ccstr), "Ch.%d CC%d", index / 130 + 1, index % 130);\n', ""),
    # The first parameter of the plugin's own is none of these.
    Patch(
        _VST3,
        "            rindex <= kVst3InternalParameterMidiCC_end)\n            return 0.0;",
        "            rindex < kVst3InternalParameterMidiCC_end)\n            return 0.0;",
    ),
    Patch(
        _VST3,
        "            rindex <= kVst3InternalParameterMidiCC_end)\n            return V3_INVALID_ARG;",
        "            rindex < kVst3InternalParameterMidiCC_end)\n            return V3_INVALID_ARG;",
    ),
    Patch(
        _VST3,
        "rindex >= kVst3InternalParameterMidiCC_start && rindex <= kVst3InternalParameterMidiCC_end",
        "rindex >= kVst3InternalParameterMidiCC_start && rindex < kVst3InternalParameterMidiCC_end",
    ),
    # A host's float of velocity 57 of 127 must become 57 again.
    Patch(_VST3, "(int)(eventStorage.noteOn.velocity * 127)", "(int)(eventStorage.noteOn.velocity * 127 + 0.5f)"),
    Patch(
        _VST3,
        "(int)(eventStorage.polyPressure.pressure * 127)",
        "(int)(eventStorage.polyPressure.pressure * 127 + 0.5f)",
    ),
    # Every bus of outputs, not the first alone.
    Patch(
        _VST3,
        "                for (int32_t j = 0; j < data->outputs->num_channels; ++j)\n"
        "                {\n"
        "                    while (!fEnabledOutputs[i] && i < DISTRHO_PLUGIN_NUM_OUTPUTS)\n"
        "                        outputs[i++] = fDummyAudioBuffer;\n"
        "\n"
        "                    DISTRHO_SAFE_ASSERT_INT_BREAK(i < DISTRHO_PLUGIN_NUM_OUTPUTS, i);\n"
        "                    outputs[i++] = data->outputs->channel_buffers_32[j];\n"
        "                }",
        "                for (int32_t bus = 0; bus < data->num_output_buses; ++bus)\n"
        "                    for (int32_t j = 0; j < data->outputs[bus].num_channels; ++j)\n"
        "                    {\n"
        "                        float* const buffer = data->outputs[bus].channel_buffers_32[j];\n"
        "                        if (i == DISTRHO_PLUGIN_NUM_OUTPUTS) break;\n"
        "                        outputs[i++] = buffer != nullptr ? buffer : fDummyAudioBuffer;\n"
        "                    }",
    ),
    # Hosts that activate twice or let go of the parts in another order do no harm: no line about it each time.
    Patch(_PLUGIN, "DISTRHO_SAFE_ASSERT_RETURN(! fIsActive,);", "if (fIsActive) return;"),
    Patch(_VST3, 'd_stderr("DPF warning: asked to delete', 'd_debug("DPF warning: asked to delete'),
    # Whether the host bounces.
    Patch(_VST3, "START_NAMESPACE_DISTRHO\n", _DECLARED + "START_NAMESPACE_DISTRHO\n"),
    Patch(
        _VST3,
        "        const uint32_t midiEventCount = inputEventList.convert(fMidiEvents);",
        "        ::ghostnoteSetOffline(fPlugin.getInstancePointer(), data->process_mode == V3_OFFLINE);\n"
        "        const uint32_t midiEventCount = inputEventList.convert(fMidiEvents);",
    ),
    Patch(_CLAP, "START_NAMESPACE_DISTRHO\n", _DECLARED + "START_NAMESPACE_DISTRHO\n"),
    Patch(
        _CLAP,
        "    void onMainThread()\n    {",
        "    void setOffline(const bool offline)\n"
        "    {\n"
        "        ::ghostnoteSetOffline(fPlugin.getInstancePointer(), offline);\n"
        "    }\n\n"
        "    void onMainThread()\n    {",
    ),
    Patch(
        _CLAP,
        "static CLAP_ABI const void* clap_plugin_get_extension(const clap_plugin_t*, const char* const id)\n{",
        "static CLAP_ABI bool clap_plugin_render_is_hard(const clap_plugin_t*)\n{\n    return false;\n}\n\n"
        "static CLAP_ABI bool clap_plugin_render_set(const clap_plugin_t* const plugin, const int32_t mode)\n{\n"
        "    static_cast<PluginCLAP*>(plugin->plugin_data)->setOffline(mode == 1);\n    return true;\n}\n\n"
        "static const struct {\n"
        "    bool (CLAP_ABI *has_hard_realtime_requirement)(const clap_plugin_t*);\n"
        "    bool (CLAP_ABI *set)(const clap_plugin_t*, int32_t);\n"
        "} clap_plugin_render = { clap_plugin_render_is_hard, clap_plugin_render_set };\n\n"
        "static CLAP_ABI const void* clap_plugin_get_extension(const clap_plugin_t*, const char* const id)\n{\n"
        '    if (std::strcmp(id, "clap.render") == 0)\n        return &clap_plugin_render;',
    ),
)
"""Each passage must be found; a build with another DPF says which is not."""
